#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PX4_INFO(...) stub_say(__VA_ARGS__)
#define PX4_WARN(...) stub_say(__VA_ARGS__)
#define PX4_ERR(...) stub_say(__VA_ARGS__)
static inline void stub_say(const char *, ...) __attribute__((format(printf, 1, 2)));
static inline void stub_say(const char *, ...) {}

static inline void PRINT_MODULE_DESCRIPTION(const char *) {}
static inline void PRINT_MODULE_USAGE_NAME(const char *, const char *) {}
static inline void PRINT_MODULE_USAGE_COMMAND(const char *) {}
#define PRINT_MODULE_USAGE_DEFAULT_COMMANDS() PRINT_MODULE_USAGE_COMMAND("stop")

namespace px4
{
template <typename T> class atomic
{
public:
	explicit atomic(T value) : _value(value) {}
	T load() const { return _value; }
	void store(T value) { _value = value; }

private:
	T _value;
};
}

// The curiously recurring template that modules derive from up to v1.16.
template <class T> class ModuleBase
{
public:
	virtual ~ModuleBase() = default;

	static int main(int argc, char *argv[])
	{
		if (argc > 1 && strcmp(argv[1], "start") == 0) {
			return T::task_spawn(argc - 1, argv + 1);
		}

		if (argc > 1 && strcmp(argv[1], "stop") == 0) {
			_object.load()->_task_should_exit = true;
			return 0;
		}

		if (argc > 1 && strcmp(argv[1], "status") == 0) {
			return _object.load() != nullptr ? _object.load()->print_status() : -1;
		}

		return T::custom_command(argc - 1, argv + 1);
	}

	virtual int print_status() { return 0; }

protected:
	bool should_exit() const { return _task_should_exit; }

	static void exit_and_cleanup()
	{
		delete _object.load();
		_object.store(nullptr);
		_task_id = -1;
	}

	static px4::atomic<T *> _object;
	static int _task_id;
	static constexpr const int task_id_is_work_queue = -2;

private:
	bool _task_should_exit{false};
};

template <class T> px4::atomic<T *> ModuleBase<T>::_object{nullptr};
template <class T> int ModuleBase<T>::_task_id = -1;
