#pragma once
#include <stdint.h>

extern int32_t stub_mode; // the one parameter

namespace px4
{
enum class params : uint16_t { LTC_TINY_MODE };
}

class ModuleParams
{
public:
	explicit ModuleParams(ModuleParams *) {}
	virtual ~ModuleParams() = default;

protected:
	void updateParams() { updateParamsImpl(); }
	virtual void updateParamsImpl() {}
};

template <px4::params p> class ParamInt
{
public:
	ParamInt() { update(); }
	int32_t get() const { return _value; }
	void update() { _value = stub_mode; }

private:
	int32_t _value;
};

// PX4's macro takes a list of (Type) name; this one takes one.
#define STUB_TYPE_OF(...) __VA_ARGS__
#define DEFINE_PARAMETERS(declaration) STUB_PARAMETER(declaration)
#define STUB_PARAMETER(declaration) \
	STUB_DECLARE declaration; \
	void updateParamsImpl() final { _param_mode.update(); }
#define STUB_DECLARE(type) type
