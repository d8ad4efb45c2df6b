#ifndef STUB_CLASS_LIST_MACROS_HPP
#define STUB_CLASS_LIST_MACROS_HPP

#include <memory>

#define PLUGINLIB_EXPORT_CLASS(Class, Base) \
  std::unique_ptr<Base> stub_make_plugin() { return std::make_unique<Class>(); }

#endif
