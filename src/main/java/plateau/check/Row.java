package plateau.check;

import java.util.List;
import java.util.function.Consumer;
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
    /** Gives a case a random shape, random inputs, and what is launched with them. */
    interface Maker {
        void make(KernelCase made, Draws draws);
    }

    /** How a case ended. */
    record Outcome(String shape, Finding finding) {}

    static Row random(String name, Maker maker) {
        return new Row(name, true, maker);
    }

    static Row fixed(String name, Consumer<KernelCase> maker) {
        return new Row(name, false, (made, _) -> maker.accept(made));
    }

    /** @param sha256 as {@link KernelCase#golden} takes it */
    static Row golden(String name, String sha256, Consumer<KernelCase> maker) {
        return fixed(name, made -> {
            made.golden(sha256);
            maker.accept(made);
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
        try (KernelCase made = new KernelCase(device)) {
            maker.make(made, draws);
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
