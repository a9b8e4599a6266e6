package plateau.simt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import plateau.cuda.Device;
import plateau.cuda.load.CpuLevel;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.NativeFiles;

/**
 * An image lists its kernels through the driver, with their kinds and the places of their
 * arguments, as {@code cuda.h} of CUDA 12.4 declares it.
 */
class KernelListTest {
    private static final Path ROOT = Path.of(System.getProperty("plateau.basedir"));
    private static final Pattern KERNEL =
            Pattern.compile("__global__\\s+void\\s+(__launch_bounds__\\([^)]*\\)\\s*)?(\\w+)\\(([^)]*)\\)");
    private static final int INVALID_VALUE = 1;

    /**
     * A kernel.
     *
     * @param cooperative whether it has launch bounds
     * @param sizes of its parameters, in bytes
     */
    private record Listed(boolean cooperative, List<Long> sizes) {}

    private final SymbolLookup library =
            SymbolLookup.libraryLookup(NativeFiles.library("libcuda.so.1"), Arena.global());

    private int call(String name, Object... arguments) throws Throwable {
        MemoryLayout[] layouts = Arrays.stream(arguments)
                .map(argument -> argument instanceof Integer
                        ? ValueLayout.JAVA_INT
                        : argument instanceof Long ? ValueLayout.JAVA_LONG : ValueLayout.ADDRESS)
                .toArray(MemoryLayout[]::new);
        return (int) Linker.nativeLinker()
                .downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts))
                .invokeWithArguments(arguments);
    }

    private void ok(String name, Object... arguments) throws Throwable {
        assertEquals(0, call(name, arguments), name);
    }

    /** What the sources declare: the kernels of kernels/*.cu, by module and name. */
    private static Map<String, Map<String, Listed>> declared() throws Exception {
        Path kernels = ROOT.resolve("kernels");
        Map<String, Map<String, Listed>> modules = new TreeMap<>();
        try (Stream<Path> files = Files.walk(kernels)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".cu")).toList()) {
                Map<String, Listed> list = new TreeMap<>();
                KERNEL.matcher(Files.readString(file)).results().forEach(kernel -> {
                    List<Long> sizes = Arrays.stream(kernel.group(3).split(","))
                            .map(KernelListTest::size)
                            .toList();
                    list.put(kernel.group(2), new Listed(kernel.group(1) != null, sizes));
                });
                modules.put(kernels.relativize(file).toString().replaceAll("\\.cu$", ""), list);
            }
        }
        return modules;
    }

    private static long size(String parameter) {
        return parameter.contains("*") || parameter.contains("long long") || parameter.contains("double") ? 8 : 4;
    }

    private Map<String, Listed> listed(String module, Arena arena) throws Throwable {
        byte[] bytes;
        try (InputStream in =
                getClass().getResourceAsStream("/plateau/native/" + CpuLevel.ofThisMachine() + "/" + module + ".so")) {
            assertNotNull(in, module);
            bytes = in.readAllBytes();
        }
        MemorySegment handle = arena.allocate(ValueLayout.ADDRESS),
                count = arena.allocate(ValueLayout.JAVA_INT),
                name = arena.allocate(ValueLayout.ADDRESS);
        MemorySegment offset = arena.allocate(ValueLayout.JAVA_LONG), size = arena.allocate(ValueLayout.JAVA_LONG);
        ok("cuModuleLoadData", handle, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        MemorySegment image = handle.get(ValueLayout.ADDRESS, 0);
        ok("cuModuleGetFunctionCount", count, image);
        int kernels = count.get(ValueLayout.JAVA_INT, 0);
        MemorySegment functions = arena.allocate(ValueLayout.ADDRESS, kernels);
        ok("cuModuleEnumerateFunctions", functions, kernels, image);
        Map<String, Listed> list = new TreeMap<>();
        for (int i = 0; i < kernels; i++) {
            MemorySegment function = functions.getAtIndex(ValueLayout.ADDRESS, i);
            ok("cuFuncGetName", name, function);
            ok("plateau_function_kind", function, count);
            boolean cooperative = count.get(ValueLayout.JAVA_INT, 0) == 1;
            ok("cuFuncGetAttribute", count, 0, function);
            assertEquals(
                    cooperative ? 1 : 1024,
                    count.get(ValueLayout.JAVA_INT, 0),
                    "CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK");
            List<Long> sizes = new ArrayList<>();
            long end = 0;
            while (call("cuFuncGetParamInfo", function, (long) sizes.size(), offset, size) == 0) {
                long bytesOfOne = size.get(ValueLayout.JAVA_LONG, 0);
                assertEquals(
                        Math.ceilDiv(end, bytesOfOne) * bytesOfOne,
                        offset.get(ValueLayout.JAVA_LONG, 0),
                        "naturally aligned, one after the other");
                end = offset.get(ValueLayout.JAVA_LONG, 0) + bytesOfOne;
                sizes.add(bytesOfOne);
            }
            list.put(
                    name.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0),
                    new Listed(cooperative, sizes));
        }
        assertEquals(INVALID_VALUE, call("cuModuleEnumerateFunctions", functions, 0, image), "no room for any");
        ok("cuModuleUnload", image);
        return list;
    }

    @Test
    void everyImageListsTheKernelsOfItsSource() throws Throwable {
        Map<String, Map<String, Listed>> declared = declared();
        assertTrue(
                declared.get("optimizer").get("adam_rate").equals(new Listed(false, List.of(8L, 8L, 8L, 8L, 8L, 8L))),
                declared.toString());
        try (Device device = Device.open(DeviceOptions.cpu());
                Arena arena = Arena.ofConfined()) {
            device.synchronize();
            for (String module : declared.keySet()) {
                assertEquals(declared.get(module), listed(module, arena), module);
            }
        }
    }
}
