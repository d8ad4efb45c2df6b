#pragma once
#define PX4_OK 0
#define PX4_ERROR (-1)
