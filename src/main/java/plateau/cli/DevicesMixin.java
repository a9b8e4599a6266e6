package plateau.cli;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import picocli.CommandLine.Option;
import plateau.cuda.Device;
import plateau.cuda.load.DeviceOptions;
import plateau.cuda.load.DeviceSelector;
import plateau.study.Devices;

/** Options of a command whose runs may be shared out over several devices. */
final class DevicesMixin extends DeviceMixin {
    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            description =
                    "auto, cpu, cuda, cpu:N or cuda:N; auto is cuda where there is one, else cpu; runs are shared out"
                            + " over several, as in cuda:0,cuda:1 (default: auto)")
    private String device;

    DevicesMixin() {
        this(Device::open);
    }

    DevicesMixin(Function<DeviceOptions, Device> opener) {
        super(opener);
    }

    @Override
    String given() {
        return device;
    }

    /** Every device that is named. */
    Devices openAll() {
        return Devices.open(selectors().stream()
                .map(selector -> (Supplier<Device>) () -> open(selector))
                .toList());
    }

    @Override
    List<DeviceSelector> selectors() {
        List<DeviceSelector> selectors =
                Arrays.stream(text().split(",", -1)).map(DeviceSelector::parse).toList();
        DeviceSelector.Kind kind = selectors.getFirst().kind();
        if (selectors.size() > 1
                && (kind == DeviceSelector.Kind.AUTO
                        || selectors.stream()
                                        .filter(selector -> selector.kind() == kind)
                                        .distinct()
                                        .count()
                                < selectors.size())) {
            throw new IllegalArgumentException(
                    "--device " + text() + ": several devices must be different ones of one kind, as in cuda:0,cuda:1");
        }
        return selectors;
    }
}
