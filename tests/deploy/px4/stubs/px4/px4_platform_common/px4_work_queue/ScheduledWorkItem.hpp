#pragma once
#include <stdint.h>

namespace px4
{
struct wq_config_t {
	const char *name;
};
namespace wq_configurations
{
static constexpr wq_config_t nav_and_controllers{"wq:nav_and_controllers"};
}

class ScheduledWorkItem;
}

extern px4::ScheduledWorkItem *stub_scheduled;
extern uint32_t stub_interval_us;

namespace px4
{
class ScheduledWorkItem
{
public:
	void ScheduleOnInterval(uint32_t interval_us, uint32_t = 0)
	{
		stub_scheduled = this;
		stub_interval_us = interval_us;
	}
	void ScheduleClear() { stub_scheduled = nullptr; }
	void stub_run() { Run(); }

protected:
	ScheduledWorkItem(const char *, const wq_config_t &) {}
	virtual ~ScheduledWorkItem() = default;

private:
	virtual void Run() = 0;
};
}
