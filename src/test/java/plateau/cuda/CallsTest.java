package plateau.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import plateau.cuda.load.DeviceOptions;

/**
 * The function descriptors written by hand, against NVIDIA's header where the CUDA toolkit is
 * installed.
 */
class CallsTest {
    private static Optional<Path> cudaInclude() {
        return Stream.of(System.getenv("CUDA_HOME"), System.getenv("CUDA_PATH"), "/usr/local/cuda")
                .filter(Objects::nonNull)
                .map(home -> Path.of(home, "include"))
                .filter(include -> Files.exists(include.resolve("cuda.h")))
                .findFirst();
    }

    /**
     * A C++ program that compiles if each function has as many parameters as the descriptor, each
     * of the same size.
     */
    private static String assertions() {
        StringBuilder source = new StringBuilder("""
            #include <cuda.h>
            #include <cudaProfiler.h>
            #include <cstddef>
            template <class> struct Sizes;
            template <class R, class... A> struct Sizes<R (*)(A...)> {
              static constexpr std::size_t count = sizeof...(A), result = sizeof(R), of[] = {sizeof(A)...};
            };
            """);
        Calls.DESCRIPTORS.forEach((symbol, descriptor) -> {
            String sizes = "Sizes<decltype(&" + symbol + ")>";
            source.append(symbol.equals("cuFuncGetParamInfo") ? "#if CUDA_VERSION >= 12040\n" : "#if 1\n");
            source.append("static_assert(%s::count == %d && %s::result == 4);%n"
                    .formatted(sizes, descriptor.argumentLayouts().size(), sizes));
            for (int i = 0; i < descriptor.argumentLayouts().size(); i++) {
                source.append("static_assert(%s::of[%d] == %d, \"%s, parameter %d\");%n"
                        .formatted(sizes, i, descriptor.argumentLayouts().get(i).byteSize(), symbol, i));
            }
            source.append("#endif\n");
        });
        return source.append("int main() {}\n").toString();
    }

    @Test
    void descriptorsFitCudaH(@TempDir Path folder) throws Exception {
        try (Device device = Device.open(DeviceOptions.cpu());
                DeviceBuffer buffer = device.upload(0);
                plateau.cuda.Stream stream = device.createStream()) {
            buffer.fill(1).enqueue(stream);
            stream.synchronize();
        }
        assertEquals(8, Calls.DESCRIPTORS.size());
        Optional<Path> include = cudaInclude();
        Assumptions.assumeTrue(include.isPresent(), "the CUDA toolkit's cuda.h is not installed here");
        Path source = Files.writeString(folder.resolve("check.cpp"), assertions());
        Process compiler = new ProcessBuilder(List.of(
                        "g++",
                        "-std=c++20",
                        "-fsyntax-only",
                        "-I",
                        include.get().toString(),
                        source.toString()))
                .redirectErrorStream(true)
                .start();
        String output = new String(compiler.getInputStream().readAllBytes());
        assertEquals(0, compiler.waitFor(), output);
        assertTrue(assertions().contains("cuLaunchKernel)>::of[10] == 8"), "eleven parameters are compared");
    }
}
