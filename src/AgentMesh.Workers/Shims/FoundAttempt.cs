using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Shims;

/// <param name="Running">Programs that live in their shims.</param>
/// <param name="Ended">Ends that their homes may not know yet.</param>
/// <param name="Dropped">Attempts of which nothing can be taken over; what was left of them was ended.</param>
public readonly record struct TakenOver(int Running, int Ended, int Dropped);

/// <summary>An attempt that an earlier process of this node has begun.</summary>
/// <param name="End">Null while its shim lives.</param>
internal sealed record FoundAttempt(string Directory, AttemptOrder Order, EndRecord? End)
{
    /// <summary>Those that can be taken over, in an order that does not hang on the file system; the others are ended and removed.</summary>
    public static IReadOnlyList<FoundAttempt> In(string directory, IShims shims, ref int dropped)
    {
        var found = new List<FoundAttempt>();
        foreach (string each in (System.IO.Directory.Exists(directory) ? System.IO.Directory.GetDirectories(directory) : []).Order(StringComparer.Ordinal))
        {
            ShimRecord? record = LivingPrograms.RecordOf(each);
            bool isAlive = record is not null && shims.IsAlive(record);

            // In this order: a shim that ends just now has written its end before.
            EndRecord? end = EndRecord.TryRead(Path.Combine(each, ShimFiles.End));
            AttemptOrder? order = AttemptFile.TryRead(each);
            if (order is not null && (end is null ? isAlive : IsWhole(each, end)))
            {
                found.Add(new FoundAttempt(each, order, end));
                continue;
            }

            if (record is not null)
            {
                shims.End(record);
            }

            // No process lives through a restart of the machine.
            if (order is not null && record?.Boot == ShimRecord.ThisBoot())
            {
                shims.KillStrays(order.Key);
            }

            Leftovers.Remove(each);
            dropped++;
        }

        return found;
    }

    public void Drop(IShims shims)
    {
        if (LivingPrograms.RecordOf(Directory) is { } record)
        {
            shims.End(record);
        }

        shims.KillStrays(Order.Key);
        Leftovers.Remove(Directory);
    }

    /// <summary>After a loss of power the last output may be missing though the end is there.</summary>
    private static bool IsWhole(string directory, EndRecord end)
    {
        (string Stream, long Bytes)[] streams = [(ShimFiles.Stdout, end.StdoutBytes), (ShimFiles.Stderr, end.StderrBytes)];
        return streams.All(each => Spool.SpoolPart.Open(directory, each.Stream) is var part && (part.Length == each.Bytes || part.BytesOnDisk() == 0));
    }
}
