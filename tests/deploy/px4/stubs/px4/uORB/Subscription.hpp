#pragma once
#include <uORB/uORB.h>

namespace uORB
{
class Subscription
{
public:
	explicit Subscription(const orb_metadata *meta, uint8_t = 0) : _meta(meta) {}
	bool updated() const { return _meta->generation != _seen; }
	bool copy(void *data)
	{
		_seen = _meta->generation;
		memcpy(data, _meta->last, _meta->o_size);
		return _seen != 0;
	}
	bool update(void *data) { return updated() && copy(data); }

private:
	const orb_metadata *_meta;
	unsigned _seen{0};
};
}
