package plateau.theory;

import java.util.List;
import plateau.autograd.Kernels;

/** A theorem, lemma or figure of the paper that can be computed. */
public interface Statement {
    /** All of them, in the paper's order. */
    List<Statement> ALL = List.of(
            new Theorem1(),
            new Theorem2(),
            new Theorem3(),
            new Theorem4(),
            new ForwardOnly(),
            new Figure7(),
            new Appendix());

    /** A short name: that of its files. */
    String name();

    /** Over its part of the page. */
    String title();

    /** Where the paper has it. */
    String source();

    /** What it says and how it is computed, for a reader who does not have the paper at hand. */
    String about();

    /**
     * Computes it.
     *
     * @param kernels of the device that does the work
     */
    Finding measure(Kernels kernels, Scale scale);
}
