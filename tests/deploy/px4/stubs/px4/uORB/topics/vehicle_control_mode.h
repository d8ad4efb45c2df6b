#pragma once
#include <uORB/uORB.h>
struct vehicle_control_mode_s {
	uint64_t timestamp;
	bool flag_armed;
	bool flag_control_rates_enabled;
	bool flag_control_termination_enabled;
};
STUB_TOPIC(vehicle_control_mode)
