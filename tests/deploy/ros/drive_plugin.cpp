// Steps a plugin as lines on standard input ask, and counts what update() allocates.
//
//   set NAME VALUE        a parameter: a number, or names with commas ("-" for an empty one)
//   configure | activate | deactivate | error      0 where it succeeds, else 1; the latter two: commands, too
//   update PERIOD VALUE...  state interfaces in the order of the configuration
//                         return_type, allocations, and the command interfaces in hexadecimal
//   refer VALUE...        a message on ~/references
//   lose N                command interface N takes no value
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "controller_interface/controller_interface.hpp"
#include "std_msgs/msg/float64_multi_array.hpp"

static long allocations = 0;

void * operator new(std::size_t size)
{
  ++allocations;
  if (void * place = std::malloc(size)) {
    return place;
  }
  throw std::bad_alloc();
}
void operator delete(void * place) noexcept { std::free(place); }
void operator delete(void * place, std::size_t) noexcept { std::free(place); }

std::unique_ptr<controller_interface::ControllerInterface> stub_make_plugin();

namespace
{
using Message = std_msgs::msg::Float64MultiArray;

const char * next_word(const char * separators = " \n") { return std::strtok(nullptr, separators); }

class Robot
{
public:
  Robot() : plugin_(stub_make_plugin()) { say(plugin_->on_init()); }

  void obey(char * line)
  {
    const std::string verb = std::strtok(line, " \n");
    if (verb == "set") {
      set();
    } else if (verb == "configure") {
      say(plugin_->on_configure(state_));
    } else if (verb == "activate") {
      loan();
      say(plugin_->on_activate(state_));
    } else if (verb == "deactivate") {
      say(plugin_->on_deactivate(state_));
      print_commands(0, 0);
    } else if (verb == "error") {
      say(plugin_->on_error(state_));
      print_commands(0, 0);
    } else if (verb == "update") {
      update();
    } else if (verb == "refer") {
      refer();
    } else if (verb == "lose") {
      lost_ = std::atoi(next_word());
    }
  }

private:
  void say(controller_interface::CallbackReturn said)
  {
    std::printf("%d\n", said == controller_interface::CallbackReturn::SUCCESS ? 0 : 1);
  }

  void set()
  {
    const std::string name = next_word();
    for (auto & parameter : plugin_->get_node()->parameters) {
      if (parameter.first != name) {
        continue;
      }
      const char * word = next_word(" ,\n");
      parameter.second.number = std::strtod(word, nullptr);
      parameter.second.names.clear();
      for (; word != nullptr; word = next_word(" ,\n")) {
        parameter.second.names.push_back(std::strcmp(word, "-") == 0 ? "" : word);
      }
    }
  }

  // In reverse, as no controller may rely on the order in which a hardware component has them.
  void loan()
  {
    const auto states = plugin_->state_interface_configuration().names;
    const auto commands = plugin_->command_interface_configuration().names;
    states_.assign(states.size(), 0.0);
    commands_.assign(commands.size(), 0.0);
    std::vector<hardware_interface::LoanedStateInterface> state;
    std::vector<hardware_interface::LoanedCommandInterface> command;
    for (std::size_t i = states.size(); i-- > 0;) {
      state.emplace_back(states[i], &states_[i]);
    }
    for (std::size_t i = commands.size(); i-- > 0;) {
      command.emplace_back(commands[i], static_cast<int>(i) == lost_ ? nullptr : &commands_[i]);
    }
    plugin_->assign_interfaces(std::move(command), std::move(state));
  }

  void update()
  {
    const rclcpp::Duration period(std::strtod(next_word(), nullptr));
    for (double & value : states_) {
      value = std::strtod(next_word(), nullptr);
    }
    const rclcpp::Time time{};
    const long before = allocations;
    const auto said = plugin_->update(time, period);
    print_commands(said == controller_interface::return_type::OK ? 0 : 1, allocations - before);
  }

  void refer()
  {
    auto message = std::make_shared<Message>();
    while (const char * word = next_word()) {
      message->data.push_back(std::strtod(word, nullptr));
    }
    std::static_pointer_cast<rclcpp::Subscription<Message>>(plugin_->get_node()->subscription)->callback(message);
  }

  void print_commands(int said, long allocated)
  {
    std::printf("%d %ld", said, allocated);
    for (const double value : commands_) {
      const float single = static_cast<float>(value);
      std::uint32_t bits = 0;
      std::memcpy(&bits, &single, sizeof bits);
      std::printf(" %08" PRIx32, bits);
    }
    std::printf("\n");
  }

  std::unique_ptr<controller_interface::ControllerInterface> plugin_;
  rclcpp_lifecycle::State state_;
  std::vector<double> states_;
  std::vector<double> commands_;
  int lost_ = -1;
};
}  // namespace

int main()
{
  Robot robot;
  char line[256];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    robot.obey(line);
  }
  return 0;
}
