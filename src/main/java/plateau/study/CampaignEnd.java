package plateau.study;

import java.util.Map;
import java.util.Optional;
import plateau.figure.Figure;
import plateau.results.Status;

/**
 * How a campaign ended; its results are in its folder.
 *
 * @param status FINISHED, FAILED or INTERRUPTED
 * @param failure why, where it failed
 * @param dataFigures figures of the first run's data, by the names of their files
 */
public record CampaignEnd(Status status, Optional<Throwable> failure, Map<String, Figure> dataFigures) {}
