package plateau.report.paper;

import java.util.List;

/**
 * An experiment of the paper: the commands that repeat it, and the figures and claims that come of
 * whatever results are there.
 */
public interface Section {
    /** All of them, in the paper's order. */
    List<Section> ALL = List.of(
            new ParitySection(),
            new TupleSection(),
            new SnrSection(),
            new StocksSection(),
            new PwlSection(),
            new StepSection());

    /** The experiment's, as its command. */
    String name();

    /** Over its part of the report. */
    String title();

    /** Where the paper has it. */
    String source();

    /** What is learnt and why it is hard, for a reader who does not have the paper at hand. */
    String about();

    /** The commands, in order. */
    List<Task> tasks(Scope scale);

    /**
     * Whether a task can still change a verdict; one that cannot is left out, unless it has been
     * run already.
     *
     * @param scale that the task is of
     * @param study of the tasks before it
     */
    default boolean needs(Task task, Scope scale, SectionRuns study) {
        return true;
    }

    /** The figures of what there is; none where there is nothing. */
    List<PaperFigure> figures(SectionRuns study);

    /**
     * All claims; undecided where there is nothing to judge them by.
     *
     * @param scale at which the runs were planned
     */
    List<Claim> claims(Scope scale, SectionRuns study);
}
