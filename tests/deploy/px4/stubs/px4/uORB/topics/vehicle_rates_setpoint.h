#pragma once
#include <uORB/uORB.h>
struct vehicle_rates_setpoint_s {
	uint64_t timestamp;
	float roll;
	float pitch;
	float yaw;
	float thrust_body[3];
	bool reset_integral;
};
STUB_TOPIC(vehicle_rates_setpoint)
