using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Selectors;

/// <summary>A device that a selector may mean, as it stands now.</summary>
/// <param name="Running">Attempts of jobs there, as far as it is known here.</param>
public sealed record Candidate(DeviceId Id, string Name, bool IsOnline, int Running, IReadOnlyList<string> Labels)
{
    /// <summary>What it said itself.</summary>
    public DeviceLoad Load { get; init; } = DeviceLoad.Unknown;

    /// <summary>The higher, the further: 0 is this device, 1 one that is reached directly, 2 one through a relay.</summary>
    public int Distance { get; init; } = 1;

    public bool Has(string label) => Labels.Any(own => DeviceLabel.Fits(label, own));
}

/// <param name="Devices">In the order of the list of devices, each once.</param>
/// <param name="Away">Devices of a group that were left out, because they are offline.</param>
public sealed record Selection(IReadOnlyList<Candidate> Devices, IReadOnlyList<Candidate> Away)
{
    /// <summary>In words, why one of several was chosen.</summary>
    public IReadOnlyDictionary<DeviceId, string> Why { get; init; } = new Dictionary<DeviceId, string>();

    /// <summary>
    /// A device that was named is taken whether it is there or not. Of a group (everybody, a label) those are taken that are online; all of them where
    /// the jobs may wait.
    /// </summary>
    /// <param name="one">Finds a device by how it was named; throws AM0302 or AM0303.</param>
    /// <param name="mayWait">Jobs for devices that are offline are queued.</param>
    /// <param name="needs">What a job will ask for there.</param>
    /// <exception cref="MeshException">AM0351: no device has the label. AM0352: nobody of a group is online. AM0393: none of them has what is asked for.</exception>
    public static Selection Of(Selector selector, IReadOnlyList<Candidate> all, Func<string, DeviceId> one, bool mayWait, ResourceAmounts? needs = null)
    {
        var chosen = new HashSet<DeviceId>();
        var away = new HashSet<DeviceId>();
        var why = new Dictionary<DeviceId, string>();
        foreach (SelectorTerm term in selector.Terms)
        {
            if (term.Kind == SelectorKind.Device)
            {
                chosen.Add(one(term.Value));
                continue;
            }

            Candidate[] group = term.Kind == SelectorKind.Everybody ? [.. all] : [.. all.Where(device => device.Has(term.Value))];
            CheckLabel(selector, term, group.Length > 0, all);
            Candidate[] online = [.. group.Where(device => device.IsOnline)];
            if (online.Length == 0 && (!mayWait || term.Kind == SelectorKind.OneWith))
            {
                throw Nobody(selector, term, group);
            }

            if (term.Kind == SelectorKind.OneWith)
            {
                (Candidate best, string choice) = BestDevice.Of(online, needs ?? ResourceAmounts.None, term.Value);
                chosen.Add(best.Id);
                why[best.Id] = choice;
                continue;
            }

            chosen.UnionWith((mayWait ? group : online).Select(device => device.Id));
            away.UnionWith(group.Except(online).Select(device => device.Id));
        }

        return new Selection([.. all.Where(device => chosen.Contains(device.Id))], [.. all.Where(device => away.Contains(device.Id) && !chosen.Contains(device.Id))]) { Why = why };
    }

    /// <exception cref="MeshException">AM0351 for the label of a term that no device has.</exception>
    public static void CheckLabel(Selector selector, SelectorTerm term, bool isKnown, IReadOnlyList<Candidate> all)
    {
        if (isKnown)
        {
            return;
        }

        string[] known = [.. all.SelectMany(device => device.Labels).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)];
        string meant = Nearest.Of(term.Value, known) is { } near ? $"did you mean '{near}'? " : "";
        string next = known.Length > 0
            ? $"{meant}known are: {string.Join(", ", known.Take(20))}"
            : "no device has any label: set agentmesh.labels = [\"gpu\", \"zone=lab\"] there and start its node again";
        throw Selector.Wrong(selector.Text, term.At, $"no device has the label '{term.Value}'", next, MeshErrors.UnknownLabel);
    }

    private static MeshException Nobody(Selector selector, SelectorTerm term, Candidate[] group) => Selector.Wrong(
        selector.Text,
        term.At,
        $"no device with the label '{term.Value}' is online: {string.Join(", ", group.Take(20).Select(device => device.Name))}",
        term.Kind == SelectorKind.OneWith
            ? $"'agentmesh run --array 1 {selector.Text} -- PROGRAM' waits for one of them"
            : "--queue accepts the jobs and starts them when the devices are back",
        MeshErrors.NobodyOnline);
}
