#ifndef STUB_RCLCPP_HPP
#define STUB_RCLCPP_HPP

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rclcpp
{
class Time
{
};

class Duration
{
public:
  explicit Duration(double seconds) : seconds_(seconds) {}
  double seconds() const { return seconds_; }

private:
  double seconds_;
};

class Logger
{
};

class SystemDefaultsQoS
{
};

struct Parameter
{
  double number = 0.0;
  std::vector<std::string> names;
  double as_double() const { return number; }
  std::vector<std::string> as_string_array() const { return names; }
};

template<typename Message>
class Subscription
{
public:
  using SharedPtr = std::shared_ptr<Subscription>;
  std::function<void(std::shared_ptr<Message>)> callback;
};
}  // namespace rclcpp

#define RCLCPP_ERROR(logger, ...) \
  do { \
    (void)(logger); \
    std::fprintf(stderr, __VA_ARGS__); \
    std::fputc('\n', stderr); \
  } while (0)

#endif
