#ifndef STUB_CONTROLLER_INTERFACE_HPP
#define STUB_CONTROLLER_INTERFACE_HPP

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "rclcpp/rclcpp.hpp"
#include "rclcpp_lifecycle/state.hpp"

namespace hardware_interface
{
class Loaned
{
public:
  Loaned(std::string name, double * value) : name_(std::move(name)), value_(value) {}
  const std::string & get_name() const { return name_; }

#ifdef STUB_OPTIONAL
  template<typename T = double>
  [[nodiscard]] std::optional<T> get_optional(unsigned int = 10) const
  {
    return value_ == nullptr ? std::nullopt : std::optional<T>(*value_);
  }

  template<typename T>
  [[nodiscard]] bool set_value(const T & value, unsigned int = 10)
  {
    if (value_ == nullptr) {
      return false;
    }
    *value_ = value;
    return true;
  }
#else
  double get_value() const { return *value_; }
  void set_value(double value) { *value_ = value; }
#endif

private:
  std::string name_;
  double * value_;
};

using LoanedStateInterface = Loaned;
using LoanedCommandInterface = Loaned;
}  // namespace hardware_interface

namespace rclcpp_lifecycle
{
class LifecycleNode
{
public:
  std::vector<std::pair<std::string, rclcpp::Parameter>> parameters;
  std::shared_ptr<void> subscription;  // the last one

  rclcpp::Logger get_logger() const { return {}; }
  rclcpp::Parameter get_parameter(const std::string & name) const
  {
    for (const auto & parameter : parameters) {
      if (parameter.first == name) {
        return parameter.second;
      }
    }
    std::abort();
  }

  template<typename Message, typename Quality, typename Callback>
  std::shared_ptr<rclcpp::Subscription<Message>> create_subscription(
    const std::string &, const Quality &, Callback && callback)
  {
    auto made = std::make_shared<rclcpp::Subscription<Message>>();
    made->callback = std::forward<Callback>(callback);
    subscription = made;
    return made;
  }
};
}  // namespace rclcpp_lifecycle

namespace controller_interface
{
enum class CallbackReturn : std::uint8_t { SUCCESS = 97, FAILURE = 98, ERROR = 99 };
enum class return_type : std::uint8_t { OK = 0, ERROR = 1 };
enum class interface_configuration_type : std::uint8_t { ALL = 0, INDIVIDUAL = 1, NONE = 2 };

struct InterfaceConfiguration
{
  interface_configuration_type type;
  std::vector<std::string> names = {};
};

class ControllerInterface
{
public:
  virtual ~ControllerInterface() = default;
  virtual InterfaceConfiguration command_interface_configuration() const = 0;
  virtual InterfaceConfiguration state_interface_configuration() const = 0;
  virtual CallbackReturn on_init() = 0;
  virtual CallbackReturn on_configure(const rclcpp_lifecycle::State &) = 0;
  virtual CallbackReturn on_activate(const rclcpp_lifecycle::State &) = 0;
  virtual CallbackReturn on_deactivate(const rclcpp_lifecycle::State &) = 0;
  virtual CallbackReturn on_error(const rclcpp_lifecycle::State &) = 0;
  virtual return_type update(const rclcpp::Time & time, const rclcpp::Duration & period) = 0;

  std::shared_ptr<rclcpp_lifecycle::LifecycleNode> get_node() const { return node_; }

  void assign_interfaces(
    std::vector<hardware_interface::LoanedCommandInterface> && command,
    std::vector<hardware_interface::LoanedStateInterface> && state)
  {
    command_interfaces_ = std::move(command);
    state_interfaces_ = std::move(state);
  }

  template<typename Parameter>
  void auto_declare(const std::string & name, const Parameter & value)
  {
    rclcpp::Parameter made;
    if constexpr (std::is_same_v<Parameter, double>) {
      made.number = value;
    } else {
      made.names = value;
    }
    node_->parameters.emplace_back(name, made);
  }

protected:
  std::vector<hardware_interface::LoanedCommandInterface> command_interfaces_;
  std::vector<hardware_interface::LoanedStateInterface> state_interfaces_;

private:
  std::shared_ptr<rclcpp_lifecycle::LifecycleNode> node_ = std::make_shared<rclcpp_lifecycle::LifecycleNode>();
};
}  // namespace controller_interface

#endif
