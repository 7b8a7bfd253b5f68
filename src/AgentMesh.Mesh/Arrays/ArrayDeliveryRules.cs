using System.Globalization;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Arrays;

/// <summary>Whether the end of an array is told to the URL that its caller named, and when: once for all of its elements. Pure; what is told is what the array has when it is over, as of a job (<see cref="JobDeliveryRules"/>).</summary>
public static class ArrayDeliveryRules
{
    /// <summary>Elements that did not complete and are named; of more there are the counts, and whoever is told can ask.</summary>
    public const int NamedMax = 20;

    /// <summary>The event as it is journalled: marked, where it ends the array in a way that its caller wants told.</summary>
    /// <param name="number">Of the event in the journal, from 1.</param>
    public static IArrayEvent Marked(ArrayState array, IArrayEvent change, long number) =>
        change is ArrayEndedEvent end && array.Spec?.Notify is { } notify && notify.Wants(EndOf(array.Apply(end))) ? end with { IsDue = true, DueAs = number } : change;

    /// <summary>Of this end: an array that a person retries ends another time, which is told under another id.</summary>
    public static string IdOf(ArrayId array, Delivery delivery, DateTimeOffset endedAt) =>
        DeliveryRules.IdOf(array.ToString(), delivery, () => string.Create(CultureInfo.InvariantCulture, $"{array}/{endedAt.ToUnixTimeMilliseconds()}"));

    /// <summary>What is sent now; null for nothing.</summary>
    public static Parcel? Ready(ArrayState array, DateTimeOffset now)
    {
        if (UntilNext(array, now) != TimeSpan.Zero || array is not { Spec: { Notify: { } notify } spec, EndedAt: { } ended, Delivery: { } due })
        {
            return null;
        }

        ArrayView view = ArrayRules.View(array, []);
        var told = new ToldArray(array.ArrayId, view.Count, view.Completed, view.Failed, view.Cancelled, [.. ArrayRules.Elements(array, new GetElements(array.ArrayId, 0, NamedMax, Failed: true)).Elements]);
        var report = new EndReport(0, null, spec.Targets.Selector, null, array.AcceptedAt, ended, null, 0, 0, "");
        return new Parcel(IdOf(array.ArrayId, due, ended), notify.Url, default, EndOf(array), report, due.Attempts + 1) { Array = told, Key = spec.Job.IdempotencyKey };
    }

    /// <summary>How long nothing has to be sent; null where nothing waits.</summary>
    public static TimeSpan? UntilNext(ArrayState array, DateTimeOffset now) => DeliveryRules.UntilNextOf(array.Delivery, now);

    /// <summary>An attempt ended; null where that changes nothing any more, as for an end before the present one.</summary>
    public static ArrayToldEvent? Ended(ArrayState array, string deliveryId, DeliveryAnswer answer, DateTimeOffset now) =>
        array is { EndedAt: { } ended, Delivery: { } due } && DeliveryRules.After(due, IdOf(array.ArrayId, due, ended), deliveryId, answer, now) is { } after ? new ArrayToldEvent(now, after) : null;

    private static JobStateName EndOf(ArrayState array) => ArrayRules.View(array, []).State switch
    {
        ArrayStateName.Completed => JobStateName.Completed,
        ArrayStateName.Cancelled => JobStateName.Cancelled,
        _ => JobStateName.Failed,
    };
}
