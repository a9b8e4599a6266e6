package plateau.cli;

import java.util.List;
import java.util.function.Function;
import picocli.CommandLine.Option;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;

/** Options of a command that looks at one device. */
final class OneDeviceMixin extends DeviceMixin {
    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description = "auto, cpu, cuda, cpu:N or cuda:N; auto is cuda where there is one, else cpu (default: auto)")
    private String device;

    OneDeviceMixin() {
        this(Device::open);
    }

    OneDeviceMixin(Function<DeviceOptions, Device> opener) {
        super(opener);
    }

    @Override
    String given() {
        return device;
    }

    @Override
    List<DeviceSelector> selectors() {
        return List.of(selector());
    }

    DeviceSelector selector() {
        return DeviceSelector.parse(text());
    }

    /**
     * @throws IllegalArgumentException if the device is none that there can be, or a named library
     *     is no file
     */
    DeviceOptions options() {
        return options(selector());
    }

    Device open() {
        return open(selector());
    }
}
