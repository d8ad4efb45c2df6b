#pragma once
#define LOG_UINT8 1
#define LOG_UINT32 3
#define LOG_FLOAT 7
#define LOG_GROUP_START(NAME) const void *const stub_logs_##NAME[] = {
#define LOG_ADD(TYPE, NAME, ADDRESS) ADDRESS,
#define LOG_GROUP_STOP(NAME) 0};
