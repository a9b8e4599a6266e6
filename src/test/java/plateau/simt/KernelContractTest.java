package plateau.simt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The build refuses kernels that break the contract at the head of {@code kernels/common.cuh}, each
 * in one line.
 */
@Execution(ExecutionMode.CONCURRENT)
class KernelContractTest {
    /** Files of kernels, to which the text of common.cuh's include is added. */
    private static final Map<String, String> SOURCES = Map.ofEntries(
            Map.entry("right.cu", """
                // A __global__ in a comment is not a kernel.
                extern "C" __global__ void scale(int n, float factor, float* __restrict__ y) {
                  const int i = element_index();
                  if (i < n) {
                    y[i] *= factor;
                  }
                }
                extern "C" __global__ void all_threads(float* __restrict__ y, int n) {
                  const int i = element_index();
                  if (i < n) {
                    y[i + gridDim.y * blockIdx.y] = 1.0f;
                  }
                }
                extern "C" __global__ void __launch_bounds__(256)
                    total(int n, const float* __restrict__ x, float* __restrict__ y) {
                  __shared__ float kept[8];
                  float sum = 0.0f;
                  for (int i = threadIdx.x; i < n; i += blockDim.x) {
                    sum += x[i];
                  }
                  sum = block_sum(sum);
                  if (threadIdx.x == 0) {
                    kept[0] = sum;
                    y[blockIdx.x] = kept[0];
                  }
                }
                """),
            Map.entry("blocks.cu", """
                __device__ __forceinline__ float mine(const float* x) { return x[threadIdx.x]; }
                extern "C" __global__ void total(int n, const float* __restrict__ x, float* __restrict__ y) {
                  float sum = 0.0f;
                  for (int i = element_index(); i < n; i += blockDim.x * gridDim.x) {
                    sum += x[i];
                  }
                  y[0] = sum;
                }
                extern "C" __global__ void through_a_function(
                    int n, const float* __restrict__ x, float* __restrict__ y) {
                  if (element_index() < n) {
                    y[blockIdx.x] = mine(x);
                  }
                }
                extern "C" __global__ void shared(int n, float* __restrict__ y) {
                  __shared__ float kept[1];
                  if (element_index() < n) {
                    kept[0] = y[0];
                    __syncthreads();
                    y[0] = kept[0];
                  }
                }
                extern "C" __global__ void votes(int n, int* __restrict__ y) {
                  const int i = element_index();
                  if (i < n) {
                    y[i] = __any_sync(kFullMask, y[i]);
                  }
                }
                """),
            Map.entry("counts.cu", """
                extern "C" __global__ void second(int columns, int n, float* __restrict__ y) {
                  const int i = element_index();
                  if (i < n) {
                    y[i] *= static_cast<float>(columns);
                  }
                }
                extern "C" __global__ void product(int rows, int columns, float* __restrict__ y) {
                  const int i = element_index();
                  if (i < rows * columns) {
                    y[i] = 0.0f;
                  }
                }
                extern "C" __global__ void negatives(int k, int n, float* __restrict__ y) {
                  const int i = element_index();
                  if (i < n && y[i] < 0.0f) {
                    y[i] = 0.0f;
                  }
                }
                extern "C" __global__ void one_too_many(int n, float* __restrict__ y) {
                  const int i = element_index();
                  if (i <= n) {
                    y[i] = 0.0f;
                  }
                }
                extern "C" __global__ void unguarded(int n, const int* __restrict__ at, float* __restrict__ y) {
                  y[at[element_index()]] = static_cast<float>(n);
                }
                extern "C" __global__ void unsigned_count(unsigned n, float* __restrict__ y) {
                  const int i = element_index();
                  if (i < static_cast<int>(n)) {
                    y[i] = 0.0f;
                  }
                }
                """),
            Map.entry("cooperative.cu", """
                struct Pair {
                  float* first;
                  float* second;
                };
                extern "C" __global__ void __launch_bounds__(256) elements(int n, float* __restrict__ y) {
                  const int i = element_index();
                  if (i < n) {
                    y[i] = 0.0f;
                  }
                }
                extern "C" __global__ void __launch_bounds__(256) shuffles(float* __restrict__ y) {
                  y[0] += __shfl_xor_sync(kFullMask, y[0], 1);
                }
                extern "C" __global__ void __launch_bounds__(256) flat(float* __restrict__ y) {
                  y[threadIdx.y] = 0.0f;
                }
                extern "C" __global__ void __launch_bounds__(100) odd(float* __restrict__ y) { y[0] = 0.0f; }
                extern "C" __global__ void __launch_bounds__(32) pairs(Pair pair) { pair.first[0] = 0.0f; }
                """),
            Map.entry("named.cu", """
                constexpr int kThreads = 128;
                extern "C" __global__ void __launch_bounds__(kThreads) named(float* __restrict__ y) { y[0] = 0.0f; }
                """),
            Map.entry("header.cuh", """
                extern "C" __global__ void hidden(float* __restrict__ y) { y[element_index()] = 0.0f; }
                """));

    @TempDir
    private static Path folder;

    private static String output;
    private static int status;

    /** Holds all files to the contract at once, by the build's own check. */
    @BeforeAll
    static void check() throws Exception {
        Path root = Path.of(System.getProperty("plateau.basedir"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                root.resolve("native/Build.java").toString(),
                root.toString(),
                "--check"));
        for (Map.Entry<String, String> source : SOURCES.entrySet()) {
            String text = "#include \"" + root.resolve("kernels/common.cuh") + "\"\n" + source.getValue();
            command.add(Files.writeString(folder.resolve(source.getKey()), text).toString());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        output = new String(process.getInputStream().readAllBytes());
        status = process.waitFor();
    }

    private static void assertRefused(String file, String... complaints) {
        List<String> expected =
                Stream.of(complaints).map(complaint -> file + complaint).toList();
        assertEquals(
                expected,
                output.lines()
                        .map(line -> line.replace("native build: ", ""))
                        .filter(line -> line.startsWith(file))
                        .toList(),
                output);
    }

    @Test
    void rightKernelsPass() {
        assertRefused("right.cu");
        assertEquals(1, status, "what is wrong with the other files stops the build");
    }

    @Test
    void anElementwiseKernelHasNoBlock() {
        String needs = ", which takes __launch_bounds__; without, a kernel is one thread per element_index()";
        assertRefused(
                "blocks.cu",
                ": elementwise kernel total: uses blockDim, gridDim.x" + needs,
                ": elementwise kernel through_a_function: uses blockIdx.x, threadIdx" + needs,
                ": elementwise kernel shared: uses __shared__, __syncthreads" + needs,
                ": elementwise kernel votes: uses __any_sync" + needs);
    }

    @Test
    void aFirstIntIsTheNumberOfElements() {
        String rule = "its first parameter, an int, is not the number of elements: a thread past it does something";
        assertRefused(
                "counts.cu",
                ": elementwise kernel second: " + rule,
                ": elementwise kernel product: " + rule,
                ": elementwise kernel negatives: " + rule,
                ": elementwise kernel one_too_many: " + rule,
                ": elementwise kernel unguarded: " + rule,
                ": elementwise kernel unsigned_count: a first parameter that is an integer is the number of elements,"
                        + " an int");
    }

    @Test
    void aCooperativeKernelIsRightInABlockOfOneThread() {
        assertRefused(
                "cooperative.cu",
                ": cooperative kernel elements: uses element_index(), which is for kernels without __launch_bounds__;"
                        + " a block's threads stride from threadIdx.x by blockDim.x",
                ": cooperative kernel shuffles: uses __shfl_xor_sync in a block of one thread, which is no warp;"
                        + " block_sum and block_max are right for every block",
                ": cooperative kernel flat: uses y or z of threadIdx or blockDim; blocks have x alone",
                ": cooperative kernel odd: __launch_bounds__ is a multiple of 32, at most 1024",
                ": cooperative kernel pairs: parameters are numbers and pointers, which the driver can check");
    }

    @Test
    void declarationsAreUnderstood() {
        assertRefused(
                "named.cu",
                ": every kernel is declared as: extern \"C\" __global__ void [__launch_bounds__(N)] name(, where N is"
                        + " a number");
        assertRefused("header.cuh", ": kernel hidden: kernels stand in .cu files, where images list them");
    }
}
