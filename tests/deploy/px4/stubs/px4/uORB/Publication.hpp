#pragma once
#include <uORB/uORB.h>

namespace uORB
{
template <typename T> class Publication
{
public:
	explicit Publication(orb_metadata *meta) : _meta(meta) {}
	bool publish(const T &data)
	{
		memcpy(_meta->last, &data, sizeof(data));
		++_meta->generation;
		return true;
	}

private:
	orb_metadata *_meta;
};
}
