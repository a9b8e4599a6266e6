package plateau.check;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import plateau.cuda.Device;
import plateau.cuda.Stream;
import plateau.cuda.Work;

/**
 * A row of the table.
 *
 * @param name the kernels that it is there for, joined by {@code " + "}, then, after a comma, what
 *     is particular to it
 * @param random whether its cases differ by what is drawn; else there is one
 * @param maker of its cases
 */
record Row(String name, boolean random, Maker maker) {
    /** Makes a case at a random shape, with random inputs. */
    interface Maker {
        KernelCase make(Device device, Draws draws);
    }

    /** How a case ended. */
    record Outcome(String shape, Finding finding) {}

    static Row random(String name, Maker maker) {
        return new Row(name, true, maker);
    }

    static Row fixed(String name, Function<Device, KernelCase> maker) {
        return new Row(name, false, (device, _) -> maker.apply(device));
    }

    /** @param sha256 as {@link KernelCase#golden} takes it */
    static Row golden(String name, String sha256, Function<Device, KernelCase> maker) {
        return fixed(name, device -> {
            KernelCase made = maker.apply(device);
            made.golden(sha256);
            return made;
        });
    }

    /** The kernels that it is there for. */
    List<String> kernels() {
        return List.of(name.split(",")[0].split(" \\+ "));
    }

    /**
     * Makes a case, runs it to its end, and judges it.
     *
     * @param launched what to launch in place of what the case does: the same in other blocks
     */
    Outcome run(Device device, Draws draws, UnaryOperator<Work> launched) {
        try (KernelCase made = maker.make(device, draws)) {
            List<String> parts = made.work().parts().stream().map(Work::name).toList();
            if (!parts.containsAll(kernels())) {
                return new Outcome(made.shape(), Finding.wrong("what is launched is " + parts));
            }
            try (Stream stream = device.createStream()) {
                launched.apply(made.work()).enqueue(stream);
                stream.synchronize();
            }
            return new Outcome(made.shape(), made.judge());
        }
    }
}
