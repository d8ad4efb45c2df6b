/*
 * mcap_file.h: an MCAP file (https://mcap.dev/spec) that is whole up to its last chunk at every moment.
 *
 * Messages gather in memory; mcap_file_end_chunk appends them as one uncompressed chunk with its CRC and its
 * index. What could not be written whole is cut off again. mcap_file_finish adds the summary with the index
 * of all chunks, which it finds by going over the file once more: memory does not grow with the file.
 *
 * The caller's texts and buffers must outlive the file. No allocation. Functions return 0 or an errno.
 */
#ifndef MCAP_FILE_H
#define MCAP_FILE_H

#include <stddef.h>
#include <stdint.h>

#define MCAP_CHANNELS 4U    /* at most */
#define MCAP_CHUNK_HEAD 49U /* bytes of a chunk's record before its messages */
#define MCAP_MESSAGE_HEAD 31U

typedef struct {
    const char *name; /* of the message's type */
    const char *text; /* its definition, as ros2msg */
    const char *topic;
} mcap_channel; /* its id, and that of its schema, is its place in the list, from 1 */

typedef struct {
    const char *name;
    const char *value;
} mcap_fact;

typedef struct {
    const char *library;
    const mcap_channel *channels;
    uint32_t channel_count;
    const mcap_fact *facts; /* every channel's metadata */
    uint32_t fact_count;
} mcap_content;

/* Where a message stands in its chunk. */
typedef struct {
    uint64_t time_ns;
    uint64_t offset;
    uint32_t channel;
} mcap_place;

/* Room for one chunk, and for the records about it. */
typedef struct {
    uint8_t *chunk; /* [chunk_size] */
    size_t chunk_size;
    mcap_place *places; /* [place_count], as many messages as a chunk may hold */
    uint32_t place_count;
    uint8_t *records; /* [record_size], at least mcap_file_record_size */
    size_t record_size;
} mcap_room;

typedef struct {
    int file; /* -1: none is open */
    const mcap_content *content;
    mcap_room room;
    uint32_t broken; /* 1: a part of a record could not be cut off again; nothing may follow it */
    uint64_t size; /* of what is whole */
    uint32_t crc;  /* of it */
    size_t used;   /* of the chunk */
    uint32_t placed;
    uint64_t earliest_ns; /* of the chunk */
    uint64_t latest_ns;
    uint64_t messages[MCAP_CHANNELS]; /* in chunks that were written */
    uint32_t chunks;
    uint64_t first_ns; /* of all chunks */
    uint64_t last_ns;
} mcap_file;

/* Bytes that the largest record but a chunk takes. */
size_t mcap_file_record_size(const mcap_content *content, uint32_t place_count);

/* EEXIST where there is a file already, unless it is to be replaced. */
int mcap_file_create(mcap_file *file, const char *path, uint32_t overwrite, const mcap_content *content,
                     const mcap_room *room);

/* Room in the chunk for a message's bytes; null where the chunk is full. Channels count from 0. */
uint8_t *mcap_file_message(mcap_file *file, uint32_t channel, uint32_t sequence, uint64_t time_ns, size_t size);

/* Append the chunk, if it holds a message; it is empty afterwards, also where that failed. */
int mcap_file_end_chunk(mcap_file *file);

/* Have the disk hold what was written. */
int mcap_file_sync(const mcap_file *file);

/* The last chunk and the summary, and close. Where there is no room for a summary, the chunks stay as they are. */
int mcap_file_finish(mcap_file *file);

/* For the parts of this library. The first appends records whole, or leaves the file as it was. */
int mcap_file_append(mcap_file *file, const uint8_t *bytes, size_t count);
uint8_t *mcap_file_put_channels(const mcap_content *content, uint8_t *at, uint32_t schemas);
int mcap_file_put_summary(mcap_file *file);

#endif
