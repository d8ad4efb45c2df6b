#pragma once
#include <uORB/Subscription.hpp>

namespace time_literals
{
constexpr uint64_t operator""_s(unsigned long long seconds) { return seconds * 1000000ULL; }
}

namespace uORB
{
class SubscriptionInterval : public Subscription
{
public:
	explicit SubscriptionInterval(const orb_metadata *meta, uint32_t = 0, uint8_t = 0) : Subscription(meta) {}
};
}
