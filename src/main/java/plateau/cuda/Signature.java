package plateau.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.driver.CUresult;

/**
 * What a kernel takes, as far as the driver tells: the number of its parameters and the bytes of
 * each, but not their types. The driver reads arguments through untyped pointers, as many as the
 * kernel has, so one too few is read from beyond the array, and a float in the place of a double as
 * another number.
 *
 * @param bytes of each parameter; empty where the driver does not tell (before CUDA 12.4)
 */
record Signature(Optional<List<Integer>> bytes) {
    static final Signature UNKNOWN = new Signature(Optional.empty());

    /** Asks the driver. */
    static Signature read(String kernel, long function) {
        return Calls.parameterInfo().map(call -> read(kernel, function, call)).orElse(UNKNOWN);
    }

    private static Signature read(String kernel, long function, MethodHandle parameterInfo) {
        List<Integer> bytes = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment offset = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
            while (true) {
                int status = (int)
                        parameterInfo.invokeExact(function, (long) bytes.size(), offset.address(), size.address());
                if (status == CUresult.CUDA_ERROR_INVALID_VALUE) { // there is no parameter of this index
                    return new Signature(Optional.of(List.copyOf(bytes)));
                }
                if (status == CUresult.CUDA_ERROR_NOT_SUPPORTED) {
                    return UNKNOWN;
                }
                CudaException.check("cuFuncGetParamInfo(" + kernel + ")", status);
                bytes.add(Math.toIntExact(size.get(ValueLayout.JAVA_LONG, 0)));
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw Calls.unexpected(e);
        }
    }

    /**
     * What is left for others to give where the last parameter is the distance between replicas.
     *
     * @throws IllegalArgumentException if the last one is not
     */
    Signature withoutStride(String kernel) {
        if (bytes.isPresent() && (bytes.get().isEmpty() || bytes.get().getLast() != Long.BYTES)) {
            throw new IllegalArgumentException(
                    "kernel %s: its last parameter is not the distance between replicas, a long long"
                            .formatted(kernel));
        }
        return new Signature(bytes.map(all -> all.subList(0, all.size() - 1)));
    }

    /**
     * Compares a launch's arguments with the parameters.
     *
     * @throws IllegalArgumentException if their number, or the bytes of one of them, is another;
     *     the message names the kernel and the argument
     */
    void check(String kernel, Object... arguments) {
        for (int i = 0; i < arguments.length; i++) {
            int given = bytesOf(kernel, i, arguments[i]);
            if (bytes.isPresent() && i < bytes.get().size() && bytes.get().get(i) != given) {
                throw new IllegalArgumentException("kernel %s, argument %d: it takes %s, not the %d of %s"
                        .formatted(kernel, i, wanted(bytes.get().get(i)), given, type(arguments[i])));
            }
        }
        if (bytes.isPresent() && bytes.get().size() != arguments.length) {
            throw new IllegalArgumentException(wrongNumber(kernel, bytes.get(), arguments));
        }
    }

    private static String wrongNumber(String kernel, List<Integer> bytes, Object[] arguments) {
        int first = Math.min(bytes.size(), arguments.length);
        return "kernel %s takes %d arguments, not %d: argument %d"
                        .formatted(kernel, bytes.size(), arguments.length, first)
                + (first < bytes.size()
                        ? ", " + wanted(bytes.get(first)) + ", is missing"
                        : " (" + type(arguments[first]) + ") is too many");
    }

    private static String wanted(int bytes) {
        return bytes
                + switch (bytes) {
                    case Integer.BYTES -> " bytes (an int or float)";
                    case Long.BYTES -> " bytes (a pointer, long or double)";
                    default -> " bytes (which no argument from Java has)";
                };
    }

    private static int bytesOf(String kernel, int index, Object argument) {
        return switch (argument) {
            case null -> Long.BYTES;
            case DeviceBuffer _, Long _, Double _ -> Long.BYTES;
            case Integer _, Float _ -> Integer.BYTES;
            default ->
                throw new IllegalArgumentException(
                        ("kernel %s, argument %d: %s is no kernel argument; give a DeviceBuffer"
                                        + " or null for a pointer, an Integer, Long, Float or Double for a value")
                                .formatted(kernel, index, type(argument)));
        };
    }

    private static String type(Object argument) {
        return switch (argument) {
            case null -> "a null pointer";
            case Integer _ -> "an int";
            case Long _ -> "a long";
            case Float _ -> "a float";
            case Double _ -> "a double";
            default -> "a " + argument.getClass().getSimpleName();
        };
    }
}
