/* onnxrun.hpp: what it wraps does what the C functions do, moves and throws. */
#include "onnxrun/onnxrun.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "onnxrun/nn.h"

namespace {

int failures = 0;

#define EXPECT(condition) \
  if (!(condition)) std::printf("line %d: expected %s\n", __LINE__, #condition), failures++

/* The call throws an error of that status, whose text has the words. */
#define EXPECT_ERROR(expected, words, ...)                                                          \
  try {                                                                                             \
    __VA_ARGS__;                                                                                    \
    std::printf("line %d: expected %s\n", __LINE__, onr_status_name(expected)), failures++;         \
  } catch (const onnxrun::error &e) {                                                               \
    if (e.status() != expected || !std::strstr(e.what(), words))                                    \
      std::printf("line %d: %s %s\n", __LINE__, onr_status_name(e.status()), e.what()), failures++; \
  }

static_assert(!std::is_copy_constructible_v<onnxrun::model> && std::is_nothrow_move_constructible_v<onnxrun::model>);
static_assert(!std::is_copy_constructible_v<onnxrun::session> && std::is_nothrow_move_assignable_v<onnxrun::session>);
static_assert(!std::is_copy_constructible_v<onnxrun::threads> &&
              std::is_nothrow_move_constructible_v<onnxrun::threads>);
static_assert(!std::is_constructible_v<onnxrun::session, onnxrun::model &&>);
static_assert(!std::is_constructible_v<onnxrun::tensor, std::vector<float> &&, std::initializer_list<std::int64_t>>);
static_assert(std::is_convertible_v<onnxrun::view<int>, onnxrun::view<const int>>);
static_assert(!std::is_convertible_v<onnxrun::view<const int>, onnxrun::view<int>>);

/* y = tanh x of [n, 3], made with the functions of C. */
onnxrun::model make_model() {
  const std::int64_t dims[] = {ONR_UNKNOWN_DIM, 3};
  onr_net *net = nullptr;
  onr_model *made = nullptr;
  onnxrun::check([&](onr_error *e) { return onr_net_create(nullptr, &net, e); });
  onr_net_output(net, "y", onr_tanh(net, onr_net_input(net, "x", ONR_DTYPE_F32, 2, dims)));
  onnxrun::check([&](onr_error *e) { return onr_net_finish(net, &made, e); });
  return onnxrun::model(made);
}

void runs() {
  const onnxrun::model model = make_model();
  const std::vector<float> x = {0, 0.5f, -1, 2, 3, 4};
  const std::vector<std::int64_t> shape = {2, 3};
  onnxrun::session session(model);
  EXPECT(model.num_inputs() == 1 && model.input(0).name() == "x" && model.output(0).name() == "y");
  EXPECT(model.input(0).dtype() == ONR_DTYPE_F32 && model.input(0).shape()[1] == 3);
  EXPECT(model.input(0).shape()[0] == ONR_UNKNOWN_DIM && model.input(0).dim_name(0).empty());
  session.set_input("x", onnxrun::tensor(x, shape));
  session.run();
  const onnxrun::tensor y = session.output("y");
  EXPECT(y.dtype() == ONR_DTYPE_F32 && y.size() == 6 && y.shape().size() == 2 && y.shape()[0] == 2);
  EXPECT(y.describe() == "float32[2,3]");
  for (std::size_t i = 0; i < 6; i++) EXPECT(std::fabs(y.data<const float>()[i] - std::tanh(x[i])) < 1e-6f);
  float sum = 0;
  for (const float value : session.output(0).data<float>()) sum += value;
  EXPECT(sum > 1);
  EXPECT(session.nodes().size() == 1 && !std::strcmp(session.nodes()[0].layer, "unary"));

  std::vector<float> bound(6);
  session.bind_output("y", onnxrun::view<float>(bound.data(), bound.size()));
  session.run();
  EXPECT(!std::memcmp(bound.data(), y.data<float>().data(), 0) && bound[3] > 0.9f);
  EXPECT(session.output(0).data<float>().data() == bound.data());

  onnxrun::session moved = std::move(session);
  moved.run();
  EXPECT(moved.output(0).size() == 6 && !session.get());
}

void refuses() {
  const onnxrun::model model = make_model();
  onnxrun::session session(model);
  const std::vector<float> x(6);
  const std::vector<double> wide(6);
  EXPECT_ERROR(ONR_STATUS_IO, "there is none.onnx", onnxrun::model("there is none.onnx"));
  EXPECT_ERROR(ONR_STATUS_IO, "none", onnxrun::model(std::string("none")));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "no input 'z'", session.set_input("z", onnxrun::tensor(x, {2, 3})));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "no output 'z'", (void)session.output("z"));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "no such input", (void)model.input(1));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "6 elements, the shape asks for 4", onnxrun::tensor(x, {2, 2}));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "9 dimensions", onnxrun::tensor(x, {1, 1, 1, 1, 1, 1, 1, 2, 3}));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "expected float32, got float64",
               session.set_input("x", onnxrun::tensor(wide, {2, 3})));
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "has not been set", session.run());
  EXPECT_ERROR(ONR_STATUS_STATE, "", (void)session.output(0));
  session.set_input(0, onnxrun::tensor(x, {2, 3}));
  session.run();
  EXPECT_ERROR(ONR_STATUS_TYPE, "float32, not int64", (void)session.output(0).data<std::int64_t>());
  EXPECT_ERROR(ONR_STATUS_ARGUMENT, "", session.add_states("y=nothing"));
  try {
    (void)session.output(0).data<float>().at(6);
    std::printf("at(6) gives an element\n"), failures++;
  } catch (const std::out_of_range &) {
  }
}

void options_and_threads(const char *path) {
  onnxrun::threads threads(2);
  onnxrun::cancel_flag cancel;
  auto load = onr_model_options_init();
  auto run = onr_session_options_init();
  run.threads = load.threads = threads.get();
  run.cancel = cancel.get();
  EXPECT(threads.count() >= 1);
  const onnxrun::model model(path, load);
  EXPECT(model.info().parameters > 0);
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const onnxrun::model same(
      onnxrun::view<const unsigned char>(reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size()));
  EXPECT(same.info().parameters == model.info().parameters);

  onnxrun::session session(model, run);
  const std::vector<float> x(10, 0.5f);
  session.set_input(0, onnxrun::tensor(x, {1, 10}));
  session.run();
  cancel.set();
  EXPECT(cancel.is_set());
  EXPECT_ERROR(ONR_STATUS_CANCELLED, "", session.run());
  cancel.clear();
  session.run();
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; i++)
    workers.emplace_back([&] {
      onnxrun::session own(model);
      own.set_input(0, onnxrun::tensor(x, {1, 10}));
      own.run();
      if (std::memcmp(own.output(0).get().data, session.output(0).get().data, 4 * own.output(0).size())) std::abort();
    });
  for (auto &worker : workers) worker.join();
}

}  // namespace

int main(int argc, char **argv) {
  try {
    runs();
    refuses();
    if (argc > 1) options_and_threads(argv[1]);
  } catch (const std::exception &e) {
    std::printf("thrown: %s\n", e.what());
    failures++;
  }
  return failures ? 1 : 0;
}
