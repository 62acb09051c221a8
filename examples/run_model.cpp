/* run_model.c in C++: loads a model, runs it on ones, and prints the first values of its outputs. */
#include <iostream>
#include <onnxrun/onnxrun.hpp>

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: " << argv[0] << " MODEL.onnx\n", 2;
  try {
    const onnxrun::model model(argv[1]);
    onnxrun::session session(model);
    std::vector<std::vector<float>> inputs;  // stay until the run is over
    for (std::size_t i = 0; i < model.num_inputs(); i++) {
      const onnxrun::value_info info = model.input(i);
      std::vector<std::int64_t> shape(info.shape().begin(), info.shape().end());
      std::size_t elements = 1;
      for (std::int64_t &dim : shape) elements *= static_cast<std::size_t>(dim == ONR_UNKNOWN_DIM ? dim = 1 : dim);
      inputs.emplace_back(elements, 1.0f);
      session.set_input(i, onnxrun::tensor(inputs.back(), shape));
    }
    session.run();
    for (std::size_t i = 0; i < model.num_outputs(); i++) {
      const onnxrun::tensor y = session.output(i);
      std::cout << model.output(i).name() << " " << y.describe();
      for (std::size_t k = 0; k < y.size() && k < 5; k++) std::cout << " " << y.data<float>()[k];
      std::cout << "\n";
    }
  } catch (const onnxrun::error &e) {
    std::cerr << onr_status_name(e.status()) << " " << e.what() << "\n";
    return 1;
  }
}
