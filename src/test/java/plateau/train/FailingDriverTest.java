package plateau.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import plateau.autograd.Kernels;
import plateau.cuda.CudaException;
import plateau.cuda.Device;
import plateau.cuda.LiveObjects;
import plateau.cuda.load.DeviceOptions;
import plateau.experiment.Parity;
import plateau.kernel.Dense;
import plateau.results.LogRow;

/**
 * A run whose driver fails somewhere leaves nothing behind, wherever that is. The CPU driver's
 * fault injection makes it fail.
 */
class FailingDriverTest {
    private static final int OUT_OF_MEMORY = 2;

    @ParameterizedTest
    @CsvSource({
        "cuStreamCreate, 1",
        "cuEventCreate, 2",
        "cuMemAlloc, 1",
        "cuMemcpyHtoDAsync, 1",
        "cuMemsetD32Async, 1",
        "cuLaunchKernel, 1",
        "cuLaunchKernel, 12",
        "cuStreamSynchronize, 1",
        "cuStreamBeginCapture, 1",
        "cuStreamBeginCapture, 2",
        "cuLaunchKernel, 40",
        "cuStreamEndCapture, 1",
        "cuGraphInstantiate, 1",
        "cuGraphInstantiate, 2",
        "cuGraphLaunch, 1",
        "cuGraphLaunch, 3",
        "cuEventRecord, 2",
        "cuEventElapsedTime, 1",
        "cuMemcpyDtoH, 3"
    })
    void nothingIsLeftAfterAFailure(String function, int nth) {
        try (Device device = Device.open(DeviceOptions.cpu())) {
            Kernels kernels = Kernels.of(device, Dense.Products.KERNELS);
            Parity parity = new Parity(Parity.Options.of(5), 1);
            inject(function, nth);
            try {
                CudaException e = assertThrows(
                        CudaException.class,
                        () -> Trainer.run(kernels, parity, Trainer.Options.of(50, 20), RunListener.NONE));
                assertEquals(OUT_OF_MEMORY, e.code());
                assertTrue(e.call().startsWith(function), e.call() + " is not what failed first");
            } finally {
                inject(null, 0);
            }
            assertEquals(new LiveObjects(0, 0, 0, 0, 0), device.live());
            // The device still works.
            assertEquals(
                    50,
                    Trainer.run(kernels, parity, Trainer.Options.of(50, 20), RunListener.NONE)
                            .last()
                            .step());
        }
    }

    /** A disk that is full, and then memory that cannot be freed: the disk is what to look at. */
    @Test
    void whatARunFailsWithIsToldBeforeWhatItsReleaseFailsWith() {
        try (Device device = Device.open(DeviceOptions.cpu())) {
            RunListener listener = new RunListener() {
                @Override
                public void onLog(LogRow row) {
                    inject("cuMemFree", 1);
                    throw new IllegalStateException("the disk is full");
                }
            };
            ParallelRuns.Run run =
                    new ParallelRuns.Run(new Parity(Parity.Options.of(5), 1), Trainer.Options.of(50, 20), listener);
            Throwable failure;
            try {
                failure = new ParallelRuns(List.of(Kernels.of(device, Dense.Products.KERNELS)), 1)
                        .run(List.of(run))
                        .getFirst()
                        .exceptionNow();
            } finally {
                inject(null, 0);
            }
            assertEquals("the disk is full", failure.getMessage());
            assertEquals("cuMemFree", ((CudaException) failure.getSuppressed()[0]).call());
        }
    }

    private static void inject(String function, long nth) {
        MemorySegment entry =
                SymbolLookup.loaderLookup().find("plateau_inject_fault").orElse(null);
        assumeTrue(entry != null, "the CPU driver is not loaded");
        MethodHandle handle = Linker.nativeLinker()
                .downcallHandle(
                        entry,
                        FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = function == null ? MemorySegment.NULL : arena.allocateFrom(function);
            handle.invokeExact(name, nth, OUT_OF_MEMORY);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
