using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Webhooks;

public enum DeliveryVerdict
{
    Delivered,

    /// <summary>Not now; another attempt may do.</summary>
    Again,

    /// <summary>Another attempt would end the same.</summary>
    GivenUp,
}

/// <summary>How one attempt to tell an end ended.</summary>
/// <param name="Status">Of the answer; null where there was none.</param>
/// <param name="Problem">Null where it was delivered.</param>
/// <param name="RetryAfter">When the receiver wants to be asked again; null where it did not say.</param>
public sealed record DeliveryAnswer(DeliveryVerdict Verdict, int? Status, Problem? Problem, TimeSpan? RetryAfter = null)
{
    /// <summary>Where there is nobody who sends.</summary>
    public static Task<DeliveryAnswer> NothingIsSent(Parcel parcel, CancellationToken cancellationToken) =>
        Task.FromResult(new DeliveryAnswer(DeliveryVerdict.GivenUp, null, new Problem(MeshErrors.NotifyNotAllowed, "nothing is sent from here")));

    /// <summary>There was no answer: no connection, or not in time.</summary>
    public static DeliveryAnswer None(string why) => new(DeliveryVerdict.Again, null, new Problem(MeshErrors.NotifyFailed, why));

    /// <summary>Statuses as RFC 9110 has them.</summary>
    /// <param name="said">The beginning of the body, for a person; empty for none.</param>
    public static DeliveryAnswer Of(int status, string said, TimeSpan? retryAfter) => status switch
    {
        >= 200 and < 300 => new DeliveryAnswer(DeliveryVerdict.Delivered, status, null),
        301 or 308 => Refused(status, "the receiver has moved for good, and redirects are not followed", "name the URL to which it leads; of a schedule: cron add ... --replace"),
        410 => Refused(status, Says("the receiver wants no more of this (410 Gone)", said), "name another URL, or none; of a schedule: cron add ... --replace"),

        // Request Timeout, Too Early and Too Many Requests are about the moment, not about the request.
        >= 400 and < 500 and not (408 or 425 or 429) => Refused(status, Says($"the receiver refuses it with status {status}", said), "look at its URL, its log and its secret"),
        _ => new DeliveryAnswer(DeliveryVerdict.Again, status, new Problem(MeshErrors.NotifyFailed, Says($"the receiver answered with status {status}", said)), retryAfter),
    };

    private static DeliveryAnswer Refused(int status, string text, string next) => new(DeliveryVerdict.GivenUp, status, new Problem(MeshErrors.NotifyRefused, text, next));

    private static string Says(string what, string said) => said.Length > 0 ? $"{what}: {said}" : what;
}
