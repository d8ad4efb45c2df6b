#pragma once
#include <uORB/uORB.h>
struct vehicle_angular_velocity_s {
	uint64_t timestamp;
	uint64_t timestamp_sample;
	float xyz[3];
	float xyz_derivative[3];
};
STUB_TOPIC(vehicle_angular_velocity)
