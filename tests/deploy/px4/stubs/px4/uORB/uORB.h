#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A topic and what was published last.
struct orb_metadata {
	const char *o_name;
	size_t o_size;
	unsigned generation;
	unsigned char *last;
};

#define ORB_ID(name) (&__orb_##name)
#define STUB_TOPIC(name) \
	inline unsigned char stub_last_##name[sizeof(name##_s)]; \
	inline orb_metadata __orb_##name{#name, sizeof(name##_s), 0, stub_last_##name};
