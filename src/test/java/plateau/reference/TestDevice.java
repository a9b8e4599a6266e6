package plateau.reference;

import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.cuda.load.DeviceUnavailableException;
import plateau.cuda.load.KernelImages;

/**
 * The device that tests run on where any would do: the CPU, or what {@code -Dplateau.device=cuda}
 * asks for.
 */
public final class TestDevice {
    private TestDevice() {}

    /** Opens it; the caller closes it. */
    public static Device open() {
        return open(KernelImages.PRODUCTION);
    }

    /** Another one of its kind, where there are two; else the same. */
    public static Device openSecond() {
        DeviceSelector first = DeviceSelector.parse(System.getProperty("plateau.device", "cpu"));
        DeviceSelector second = new DeviceSelector(first.kind(), first.ordinal() + 1);
        try {
            return Device.open(DeviceOptions.of(second));
        } catch (DeviceUnavailableException e) {
            return open();
        }
    }

    /** Opens it; on a CPU it runs these kernels, on a GPU there is one build, with real threads. */
    public static Device open(KernelImages images) {
        String device = System.getProperty("plateau.device", "cpu");
        return Device.open(DeviceOptions.of(DeviceSelector.parse(device)).withImages(images));
    }
}
