#ifndef STUB_RCLCPP_HPP
#define STUB_RCLCPP_HPP

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
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

class Parameter
{
public:
  using Value = std::variant<double, std::vector<std::string>>;
  explicit Parameter(Value value) : value_(std::move(value)) {}
  double as_double() const { return std::get<double>(value_); }
  std::vector<std::string> as_string_array() const { return std::get<std::vector<std::string>>(value_); }

private:
  Value value_;
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
