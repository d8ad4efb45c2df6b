#ifndef STUB_STATE_HPP
#define STUB_STATE_HPP

namespace rclcpp_lifecycle
{
class State
{
};
}  // namespace rclcpp_lifecycle

#endif
