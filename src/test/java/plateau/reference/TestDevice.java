package plateau.reference;

import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;

/** The device that tests above the kernels run on: the CPU, or what {@code -Dplateau.device=cuda} asks for. */
public final class TestDevice {
    private TestDevice() {}

    /** Opens it; the caller closes it. */
    public static Device open() {
        return Device.open(DeviceOptions.of(DeviceSelector.parse(System.getProperty("plateau.device", "cpu"))));
    }
}
