/*
 * step_log_messages.h: the messages of a step log as CDR bytes, and their definitions.
 *
 * Every message of one log has one size for its kind. Channels and their order: STEP, SNAPSHOT, SETTINGS.
 */
#ifndef STEP_LOG_MESSAGES_H
#define STEP_LOG_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "mcap_file.h"
#include "step_log.h"

enum { STEP_LOG_STEP, STEP_LOG_SNAPSHOT, STEP_LOG_SETTINGS, STEP_LOG_CHANNELS };

/* Why there is a snapshot. */
#define STEP_LOG_START 1U   /* the file begins */
#define STEP_LOG_GAP 2U     /* steps are missing before it */
#define STEP_LOG_PERIODIC 4U
#define STEP_LOG_CHANGED 8U /* the state is not what the step before left: memory was changed */

extern const mcap_channel step_log_channels[STEP_LOG_CHANNELS];

size_t step_log_step_size(void);
size_t step_log_snapshot_size(void);
size_t step_log_settings_size(const ltc_supervisor_settings *settings);

void step_log_put_step(uint8_t *at, const step_log_entry *entry);
void step_log_put_snapshot(uint8_t *at, const step_log_entry *entry, uint32_t reason);
void step_log_put_settings(uint8_t *at, const ltc_supervisor_settings *settings);

#endif
