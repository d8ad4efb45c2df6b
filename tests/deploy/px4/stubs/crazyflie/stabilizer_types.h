#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef uint32_t stabilizerStep_t;

typedef struct {
  float x;
  float y;
  float z;
} Axis3f;

typedef struct {
  uint32_t timestamp;
  float roll;
  float pitch;
  float yaw;
} attitude_t;

typedef struct {
  uint32_t timestamp;
  float x;
  float y;
  float z;
} point_t, velocity_t, acc_t;

typedef struct {
  uint32_t timestamp;
  float x;
  float y;
  float z;
  float w;
} quaternion_t;

typedef struct {
  Axis3f acc;
  Axis3f gyro;
  Axis3f mag;
  uint64_t interruptTimestamp;
} sensorData_t;

typedef struct {
  attitude_t attitude;
  quaternion_t attitudeQuaternion;
  point_t position;
  velocity_t velocity;
  acc_t acc;
} state_t;

#define STABILIZER_NR_OF_MOTORS 4

typedef enum { controlModeLegacy = 0, controlModeForceTorque = 1, controlModeForce = 2 } control_mode_t;

typedef struct {
  union {
    struct {
      int16_t roll;
      int16_t pitch;
      int16_t yaw;
      float thrust;
    };
    struct {
      float thrustSi;
      union {
        float torque[3];
        struct {
          float torqueX;
          float torqueY;
          float torqueZ;
        };
      };
    };
    float normalizedForces[STABILIZER_NR_OF_MOTORS];
  };
  control_mode_t controlMode;
} control_t;

typedef struct {
  uint32_t timestamp;
  attitude_t attitude;
  attitude_t attitudeRate;
  float thrust;
  point_t position;
  velocity_t velocity;
} setpoint_t;
