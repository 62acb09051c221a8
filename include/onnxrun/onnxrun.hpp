/* onnxrun.hpp: onnxrun.h for C++17. Handles own what they stand for and can be moved, errors are exceptions, memory is
 * seen through views that own nothing.
 *
 *   onnxrun::model model("model.onnx");
 *   onnxrun::session session(model);
 *   const std::vector<float> x(3 * 224 * 224);
 *   session.set_input("x", onnxrun::tensor(x, {1, 3, 224, 224}));
 *   session.run();
 *   for (float y : session.output("y").data<float>()) ...
 *
 * Everything else - threads, lifetimes, NULL - is as the C headers say. A handle gives its C object by get(), so what
 * has no member here is called by its C function, wrapped in onnxrun::check. */
#ifndef ONNXRUN_HPP
#define ONNXRUN_HPP

#if __cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "onnxrun.hpp needs C++17"
#endif

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "onnxrun/onnxrun.h"

namespace onnxrun {

/* What a function of the library refuses. what() is "where: message". */
class error : public std::runtime_error {
 public:
  explicit error(const onr_error &e)
      : std::runtime_error(*e.where ? std::string(e.where) + ": " + e.message : std::string(e.message)), error_(e) {}
  onr_status status() const noexcept { return error_.status; }
  const char *where() const noexcept { return error_.where; }     /* the node, its module and source line, or "" */
  const char *message() const noexcept { return error_.message; } /* what was expected and found */

 private:
  onr_error error_;
};

/* check([&](onr_error *e) { return onr_session_trim(session.get(), e); }): throws what it fills in. */
template <class Call>
void check(Call &&call) {
  onr_error e = {};
  if (const onr_status status = call(&e); status != ONR_STATUS_OK) {
    e.status = status;
    if (!*e.message) onr_fail(&e, status, "%s", onr_status_text(status));
    throw error(e);
  }
}

/* Elements that lie one behind the other in somebody's memory. */
template <class T>
class view {
 public:
  constexpr view() noexcept = default;
  constexpr view(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <class U, class = std::enable_if_t<std::is_same_v<T, const U>>>
  constexpr view(view<U> other) noexcept : data_(other.data()), size_(other.size()) {}
  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return !size_; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](std::size_t i) const noexcept { return data_[i]; }
  T &at(std::size_t i) const {
    if (i >= size_) throw std::out_of_range("onnxrun::view: there is no such element");
    return data_[i];
  }

 private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/* Patterns of 16 bits: values of F16 and BF16 (onr_f16_to_f32 and its like). */
enum class f16 : std::uint16_t {};
enum class bf16 : std::uint16_t {};

/* dtype_of<float> is ONR_DTYPE_F32. */
template <class T>
inline constexpr onr_dtype dtype_of = ONR_DTYPE_NONE;
template <>
inline constexpr onr_dtype dtype_of<float> = ONR_DTYPE_F32;
template <>
inline constexpr onr_dtype dtype_of<double> = ONR_DTYPE_F64;
template <>
inline constexpr onr_dtype dtype_of<f16> = ONR_DTYPE_F16;
template <>
inline constexpr onr_dtype dtype_of<bf16> = ONR_DTYPE_BF16;
template <>
inline constexpr onr_dtype dtype_of<bool> = ONR_DTYPE_BOOL;
template <>
inline constexpr onr_dtype dtype_of<std::int8_t> = ONR_DTYPE_I8;
template <>
inline constexpr onr_dtype dtype_of<std::int16_t> = ONR_DTYPE_I16;
template <>
inline constexpr onr_dtype dtype_of<std::int32_t> = ONR_DTYPE_I32;
template <>
inline constexpr onr_dtype dtype_of<std::int64_t> = ONR_DTYPE_I64;
template <>
inline constexpr onr_dtype dtype_of<std::uint8_t> = ONR_DTYPE_U8;
template <>
inline constexpr onr_dtype dtype_of<std::uint16_t> = ONR_DTYPE_U16;
template <>
inline constexpr onr_dtype dtype_of<std::uint32_t> = ONR_DTYPE_U32;
template <>
inline constexpr onr_dtype dtype_of<std::uint64_t> = ONR_DTYPE_U64;
template <>
inline constexpr onr_dtype dtype_of<onr_string> = ONR_DTYPE_STRING;

/* A dense row-major tensor in somebody's memory. */
class tensor {
 public:
  tensor() noexcept : tensor_() {}
  explicit tensor(const onr_tensor &other) noexcept : tensor_(other) {}
  /* ARGUMENT where the shape has not as many elements as there are. */
  template <class T>
  tensor(view<T> data, view<const std::int64_t> shape) : tensor_() {
    static_assert(dtype_of<std::remove_const_t<T>> != ONR_DTYPE_NONE, "no tensor has elements of this type");
    if (shape.size() > ONR_MAX_RANK) fail("a shape of %d dimensions, expected at most %d", shape.size(), ONR_MAX_RANK);
    tensor_.desc =
        onr_desc_make(dtype_of<std::remove_const_t<T>>, static_cast<std::int32_t>(shape.size()), shape.data());
    const std::int64_t elements = onr_desc_elements(&tensor_.desc);
    if (elements < 0 || static_cast<std::uint64_t>(elements) != data.size())
      fail("there are %d elements, the shape asks for %d", data.size(), static_cast<std::size_t>(elements));
    tensor_.data = const_cast<void *>(static_cast<const void *>(data.data())); /* inputs are only read */
  }
  template <class T>
  tensor(view<T> data, std::initializer_list<std::int64_t> shape)
      : tensor(data, view<const std::int64_t>(shape.begin(), shape.size())) {}
  template <class T>
  tensor(const std::vector<T> &data, std::initializer_list<std::int64_t> shape)
      : tensor(view<const T>(data.data(), data.size()), shape) {}
  template <class T>
  tensor(const std::vector<T> &data, const std::vector<std::int64_t> &shape)
      : tensor(view<const T>(data.data(), data.size()), view<const std::int64_t>(shape.data(), shape.size())) {}
  template <class T>
  tensor(std::vector<T> &&, std::initializer_list<std::int64_t>) = delete; /* it would be gone */
  template <class T>
  tensor(std::vector<T> &&, const std::vector<std::int64_t> &) = delete;

  onr_dtype dtype() const noexcept { return tensor_.desc.dtype; }
  view<const std::int64_t> shape() const noexcept {
    return {tensor_.desc.dim, static_cast<std::size_t>(tensor_.desc.rank)};
  }
  std::size_t size() const noexcept { return static_cast<std::size_t>(onr_desc_elements(&tensor_.desc)); }
  /* TYPE where the elements are of another type. */
  template <class T>
  view<T> data() const {
    if (dtype() != dtype_of<std::remove_const_t<T>>)
      check([&](onr_error *e) {
        return onr_fail(e, ONR_STATUS_TYPE, "the tensor is %s, not %s", onr_dtype_name(dtype()),
                        onr_dtype_name(dtype_of<std::remove_const_t<T>>));
      });
    return {static_cast<T *>(tensor_.data), size()};
  }
  std::string describe() const { /* "float32[1,3,224,224]" */
    char text[256];
    return onr_desc_format(&tensor_.desc, text, sizeof(text));
  }
  const onr_tensor &get() const noexcept { return tensor_; }

 private:
  static void fail(const char *format, std::size_t found, std::size_t expected) {
    check([&](onr_error *e) {
      return onr_fail(e, ONR_STATUS_ARGUMENT, format, static_cast<int>(found), static_cast<int>(expected));
    });
  }
  onr_tensor tensor_;
};

/* The text of an element of a STRING tensor. */
inline std::string_view text(const onr_string &string) noexcept { return {string.text, string.length}; }

/* An input or output as the file declares it; lives as long as its model. */
class value_info {
 public:
  explicit value_info(const onr_value_info *info) noexcept : info_(info) {}
  std::string_view name() const noexcept { return info_->name; }
  onr_dtype dtype() const noexcept { return info_->dtype; }
  bool has_shape() const noexcept { return info_->rank >= 0; }
  /* ONR_UNKNOWN_DIM where the caller gives the size. */
  view<const std::int64_t> shape() const noexcept {
    return {info_->dim, static_cast<std::size_t>(info_->rank < 0 ? 0 : info_->rank)};
  }
  std::string_view dim_name(std::size_t dim) const noexcept { /* "" where it has none */
    return dim < ONR_MAX_RANK && info_->dim_name[dim] ? info_->dim_name[dim] : "";
  }

 private:
  const onr_value_info *info_;
};

namespace detail {
template <class T, void (*destroy)(T *)>
struct deleter {
  void operator()(T *object) const noexcept { destroy(object); }
};
template <class T, void (*destroy)(T *)>
using handle = std::unique_ptr<T, deleter<T, destroy>>;
}  // namespace detail

/* A pool of threads; 0: one for each core. */
class threads {
 public:
  explicit threads(std::uint32_t count = 0) {
    onr_threads *made = nullptr;
    check([&](onr_error *e) { return onr_threads_create(count, nullptr, &made, e); });
    threads_.reset(made);
  }
  std::uint32_t count() const noexcept { return onr_threads_count(threads_.get()); }
  onr_threads *get() const noexcept { return threads_.get(); }

 private:
  detail::handle<onr_threads, onr_threads_destroy> threads_;
};

/* A flag by which another thread ends a load or a run; stays where it is. */
class cancel_flag {
 public:
  cancel_flag() noexcept : cancel_() {}
  cancel_flag(const cancel_flag &) = delete;
  cancel_flag &operator=(const cancel_flag &) = delete;
  void set() noexcept { onr_cancel_set(&cancel_); }
  void clear() noexcept { onr_cancel_clear(&cancel_); }
  bool is_set() const noexcept { return onr_cancel_is_set(&cancel_) != 0; }
  const onr_cancel *get() const noexcept { return &cancel_; }

 private:
  onr_cancel cancel_;
};

class model {
 public:
  explicit model(const char *path, const onr_model_options &options = onr_model_options_init()) {
    onr_model *made = nullptr;
    check([&](onr_error *e) { return onr_model_load(path, &options, &made, e); });
    model_.reset(made);
  }
  explicit model(const std::string &path, const onr_model_options &options = onr_model_options_init())
      : model(path.c_str(), options) {}
  /* From memory, which may go when this returns unless options.data_stays. */
  explicit model(view<const unsigned char> data, const onr_model_options &options = onr_model_options_init()) {
    onr_model *made = nullptr;
    check([&](onr_error *e) { return onr_model_load_memory(data.data(), data.size(), &options, &made, e); });
    model_.reset(made);
  }
  /* What a net (net.h) or another C function made. */
  explicit model(onr_model *owned) noexcept : model_(owned) {}

  std::size_t num_inputs() const noexcept { return onr_model_num_inputs(get()); }
  std::size_t num_outputs() const noexcept { return onr_model_num_outputs(get()); }
  value_info input(std::size_t index) const { return value_info(found(onr_model_input(get(), index), "input")); }
  value_info output(std::size_t index) const { return value_info(found(onr_model_output(get(), index), "output")); }
  std::size_t find_input(const std::string &name) const {
    return index(onr_model_find_input(get(), name.c_str()), "input", name);
  }
  std::size_t find_output(const std::string &name) const {
    return index(onr_model_find_output(get(), name.c_str()), "output", name);
  }
  onr_model_info info() const {
    onr_model_info result = onr_model_info_init();
    check([&](onr_error *) { return onr_model_get_info(get(), &result); });
    return result;
  }
  onr_model *get() const noexcept { return model_.get(); }

 private:
  static const onr_value_info *found(const onr_value_info *info, const char *what) {
    if (!info) check([&](onr_error *e) { return onr_fail(e, ONR_STATUS_ARGUMENT, "the model has no such %s", what); });
    return info;
  }
  static std::size_t index(int found, const char *what, const std::string &name) {
    if (found < 0)
      check([&](onr_error *e) {
        return onr_fail(e, ONR_STATUS_ARGUMENT, "the model has no %s '%s'", what, name.c_str());
      });
    return static_cast<std::size_t>(found);
  }
  detail::handle<onr_model, onr_model_destroy> model_;
};

/* One stream of runs, for one thread at a time. The model must outlive it, and stay where it is. */
class session {
 public:
  explicit session(const onnxrun::model &model, const onr_session_options &options = onr_session_options_init())
      : model_(&model) {
    onr_session *made = nullptr;
    check([&](onr_error *e) { return onr_session_create(model.get(), &options, &made, e); });
    session_.reset(made);
  }
  explicit session(onnxrun::model &&,
                   const onr_session_options & = onr_session_options_init()) = delete; /* it would be gone */

  /* The memory is read by the runs that follow. */
  void set_input(std::size_t index, const tensor &x) {
    check([&](onr_error *e) { return onr_session_set_input(get(), index, &x.get(), e); });
  }
  void set_input(const std::string &name, const tensor &x) { set_input(model_->find_input(name), x); }
  template <class T>
  void bind_output(std::size_t index, view<T> memory) {
    check([&](onr_error *e) {
      return onr_session_bind_output(get(), index, memory.data(), memory.size() * sizeof(T), e);
    });
  }
  template <class T>
  void bind_output(const std::string &name, view<T> memory) {
    bind_output(model_->find_output(name), memory);
  }
  void plan() {
    check([&](onr_error *e) { return onr_session_plan(get(), e); });
  }
  void run() {
    check([&](onr_error *e) { return onr_session_run(get(), e); });
  }
  /* Of the last run; good until the next. */
  tensor output(std::size_t index) const {
    onr_tensor y = {};
    check([&](onr_error *e) { return onr_session_get_output(get(), index, &y, e); });
    return tensor(y);
  }
  tensor output(const std::string &name) const { return output(model_->find_output(name)); }
  /* "present.*=past.*"; NULL: all that the model makes by adding rows to an input. */
  std::size_t add_states(const char *names = nullptr) {
    std::size_t count = 0;
    check([&](onr_error *e) { return onr_session_add_states(get(), names, &count, e); });
    return count;
  }
  void reset_states() {
    check([&](onr_error *e) { return onr_session_reset_states(get(), e); });
  }
  std::vector<onr_node_info> nodes() const { /* of the current plan */
    std::vector<onr_node_info> result(onr_session_num_nodes(get()), onr_node_info_init());
    for (std::size_t i = 0; i < result.size(); i++)
      check([&](onr_error *) { return onr_session_node(get(), i, &result[i]); });
    return result;
  }
  onr_session *get() const noexcept { return session_.get(); }

 private:
  const onnxrun::model *model_;
  detail::handle<onr_session, onr_session_destroy> session_;
};

}  // namespace onnxrun

#endif
