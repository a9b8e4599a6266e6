/**
 * The paper's experiments, and what any other one is made of.
 *
 * <p>An experiment takes one file, in reading order: what can be chosen, the data, the model, the
 * training and the evaluation ({@link plateau.experiment.Parity} is the shortest). Beside it lies
 * its {@link plateau.experiment.Kind}: name, default steps and figures. That is all a program needs
 * to give it commands, tables, checkpoints and sweeps, so an experiment of one's own is
 *
 * <ol>
 *   <li>a public record of options, each an {@link plateau.experiment.Option} with its default in
 *       the constructor,
 *   <li>an {@link plateau.experiment.Experiment} whose plan allocates in the run's workspace
 *       ({@link plateau.experiment.RunContext}), draws from
 *       {@link plateau.experiment.RandomStreams} and writes its metrics into
 *       {@link plateau.experiment.Ring}s,
 *   <li>a {@link plateau.experiment.Kind}, named in
 *       {@code META-INF/services/plateau.experiment.Kind}.
 * </ol>
 */
package plateau.experiment;
