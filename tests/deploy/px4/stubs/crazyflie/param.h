#pragma once
#define PARAM_UINT8 0x08
#define PARAM_GROUP_START(NAME) const void *const stub_params_##NAME[] = {
#define PARAM_ADD(TYPE, NAME, ADDRESS) ADDRESS,
#define PARAM_GROUP_STOP(NAME) 0};
