package plateau.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import plateau.reference.Faults;
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
            Faults.inject(function, nth, OUT_OF_MEMORY);
            try {
                CudaException e = assertThrows(
                        CudaException.class,
                        () -> Trainer.run(kernels, parity, Trainer.Options.of(50, 20), RunListener.NONE));
                assertEquals(OUT_OF_MEMORY, e.code());
                assertTrue(e.call().startsWith(function), e.call() + " is not what failed first");
            } finally {
                Faults.clear();
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
                    Faults.inject("cuMemFree", 1, OUT_OF_MEMORY);
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
                Faults.clear();
            }
            assertEquals("the disk is full", failure.getMessage());
            assertEquals("cuMemFree", ((CudaException) failure.getSuppressed()[0]).call());
        }
    }
}
