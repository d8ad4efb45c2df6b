// Steps a generated module by hand. Each line of the input is
//
//     now parameter armed  rates_time roll  gyro_time pitch_rate  motors_time motor
//
// with times in microseconds, 0 for nothing published, and numbers in hexadecimal; each line of the output
//
//     mode status dt proposal action  published motor other_is_nan sample  allocations
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "ltc_tiny.hpp"

hrt_abstime stub_now = 0;
int32_t stub_mode = 1;
px4::ScheduledWorkItem *stub_scheduled = nullptr;
uint32_t stub_interval_us = 0;

namespace
{
unsigned allocations = 0;
unsigned parameter_updates = 0;

uint32_t bits_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

float value_of(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

template <typename T> void put(orb_metadata *topic, const T &message)
{
	memcpy(topic->last, &message, sizeof(message));
	++topic->generation;
}

template <typename T> T last_of(const orb_metadata *topic)
{
	T message;
	memcpy(&message, topic->last, sizeof(message));
	return message;
}

void say()
{
	const debug_array_s log = last_of<debug_array_s>(ORB_ID(debug_array));
	const actuator_motors_s motors = last_of<actuator_motors_s>(ORB_ID(actuator_motors));
	printf("%d %u %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %u %08" PRIx32 " %d %" PRIu64 " %u\n",
	       static_cast<int>(log.data[0]), static_cast<unsigned>(log.data[1]), bits_of(log.data[2]),
	       bits_of(log.data[3]), bits_of(log.data[4]), ORB_ID(actuator_motors)->generation,
	       bits_of(motors.control[2]), std::isnan(motors.control[0]) && std::isnan(motors.control[11]),
	       motors.timestamp_sample, allocations);
}
}

void *operator new(size_t size)
{
	++allocations;
	return malloc(size);
}

void operator delete(void *memory) noexcept { free(memory); }
void operator delete(void *memory, size_t) noexcept { free(memory); }

extern "C" int ltc_tiny_main(int argc, char *argv[]);

int main()
{
	char name[] = "ltc_tiny", start[] = "start", stop[] = "stop", status[] = "status";
	char *starting[] = {name, start}, *stopping[] = {name, stop}, *asking[] = {name, status};
	const int started = ltc_tiny_main(2, starting);
	printf("%d %" PRIu32 "\n", started, stub_interval_us);
	uint64_t now, rates_time, gyro_time, motors_time;
	int32_t parameter;
	int armed;
	uint32_t roll, rate, motor;

	while (scanf("%" SCNu64 " %" SCNd32 " %d %" SCNu64 " %" SCNx32 " %" SCNu64 " %" SCNx32 " %" SCNu64 " %" SCNx32, &now,
		     &parameter, &armed, &rates_time, &roll, &gyro_time, &rate, &motors_time, &motor) == 9) {
		stub_now = now;

		if (parameter != stub_mode) {
			stub_mode = parameter;
			put(ORB_ID(parameter_update), parameter_update_s{now, ++parameter_updates});
		}

		vehicle_control_mode_s mode{};
		mode.flag_armed = armed == 1;
		mode.flag_control_termination_enabled = armed == 2;
		put(ORB_ID(vehicle_control_mode), mode);

		if (rates_time != 0) {
			vehicle_rates_setpoint_s rates{};
			rates.timestamp = rates_time;
			rates.roll = value_of(roll);
			put(ORB_ID(vehicle_rates_setpoint), rates);
		}

		if (gyro_time != 0) {
			vehicle_angular_velocity_s gyro{};
			gyro.timestamp = gyro_time;
			gyro.xyz[1] = value_of(rate);
			put(ORB_ID(vehicle_angular_velocity), gyro);
		}

		if (motors_time != 0) {
			actuator_motors_s motors{};
			motors.timestamp = motors_time;
			motors.control[2] = value_of(motor);
			put(ORB_ID(actuator_motors), motors);
		}

		allocations = 0;
		stub_scheduled->stub_run();
		say();
	}

	const int asked = ltc_tiny_main(2, asking);
	const int stopped = ltc_tiny_main(2, stopping);
	stub_scheduled->stub_run();
	printf("%d %d %d\n", asked, stopped, stub_scheduled == nullptr ? 0 : 1);
	return 0;
}
