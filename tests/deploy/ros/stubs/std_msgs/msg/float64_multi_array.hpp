#ifndef STUB_FLOAT64_MULTI_ARRAY_HPP
#define STUB_FLOAT64_MULTI_ARRAY_HPP

#include <memory>
#include <vector>

namespace std_msgs::msg
{
struct Float64MultiArray
{
  using SharedPtr = std::shared_ptr<Float64MultiArray>;
  std::vector<double> data;
};
}  // namespace std_msgs::msg

#endif
