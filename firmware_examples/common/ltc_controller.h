/*
 * ltc_controller.h: one set of names for the controller that a program is built with, whatever its own.
 *
 * The compiler's command line says which: for a controller named balance,
 *
 *     -DCONTROLLER=balance -DCONTROLLER_UPPER=BALANCE -DCONTROLLER_HEADER='"balance.h"'
 *
 * controller.mk does so for the folder in CONTROLLER_DIR.
 */
#ifndef LTC_CONTROLLER_H
#define LTC_CONTROLLER_H

#if !defined(CONTROLLER) || !defined(CONTROLLER_UPPER) || !defined(CONTROLLER_HEADER)
#error "name the controller: make CONTROLLER_DIR=BUNDLE/c-float32, or see ltc_controller.h"
#endif

#include CONTROLLER_HEADER

#define LTC_JOIN_EXPANDED(first, second) first##second
#define LTC_JOIN(first, second) LTC_JOIN_EXPANDED(first, second)

#define controller_context LTC_JOIN(CONTROLLER, _context)
#define controller_reset LTC_JOIN(CONTROLLER, _reset)
#define controller_restore LTC_JOIN(CONTROLLER, _restore)
#define controller_step LTC_JOIN(CONTROLLER, _step)
#define controller_check LTC_JOIN(CONTROLLER, _check)
#define controller_selftest LTC_JOIN(CONTROLLER, _selftest)
#define controller_version LTC_JOIN(CONTROLLER, _version)

#define CONTROLLER_OBSERVATIONS LTC_JOIN(CONTROLLER_UPPER, _OBSERVATIONS)
#define CONTROLLER_ACTIONS LTC_JOIN(CONTROLLER_UPPER, _ACTIONS)
#define CONTROLLER_STATE LTC_JOIN(CONTROLLER_UPPER, _STATE)
#define CONTROLLER_NO_ACTION LTC_JOIN(CONTROLLER_UPPER, _NO_ACTION)

#endif
