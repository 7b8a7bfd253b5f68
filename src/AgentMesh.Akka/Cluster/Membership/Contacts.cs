namespace Akka.Cluster.Membership;

/// <summary>
/// What heartbeats have shown lately of each other member, so that nothing is asked for twice: whether it asks this one, whether it answers, and whether it has the same gossip.
/// </summary>
/// <param name="interval">Between two heartbeats.</param>
internal sealed class Contacts(TimeSpan interval)
{
    private readonly Dictionary<UniqueAddress, Contact> _contacts = [];

    /// <summary>One heartbeat may be late by half an interval before this member asks by itself.</summary>
    private TimeSpan Lately => interval * 1.5;

    /// <summary>A heartbeat came that says that the last answer arrived.</summary>
    public void Asked(UniqueAddress by, TimeSpan now) => Of(by).AskedAt = now;

    /// <summary>It asks, and hears the answers: each of its heartbeats shows as much as an answer to one of this member would.</summary>
    public bool IsAskedBy(UniqueAddress node, TimeSpan now) => _contacts.TryGetValue(node, out Contact? contact) && now - contact.AskedAt <= Lately;

    public void Answered(UniqueAddress by) => Of(by).HasAnswered = true;

    /// <returns>Whether an answer came since the last call.</returns>
    public bool TakeAnswer(UniqueAddress of)
    {
        Contact contact = Of(of);
        bool answered = contact.HasAnswered;
        contact.HasAnswered = false;
        return answered;
    }

    public void Agreed(UniqueAddress with, ulong digest, TimeSpan now)
    {
        Contact contact = Of(with);
        (contact.Digest, contact.AgreedAt) = (digest, now);
    }

    /// <summary>It said lately that it has the gossip with this digest.</summary>
    public bool Agrees(UniqueAddress node, ulong digest, TimeSpan now) =>
        _contacts.TryGetValue(node, out Contact? contact) && contact.AgreedAt is { } at && now - at <= Lately && contact.Digest == digest;

    /// <summary>Forgets everybody else.</summary>
    public void Keep(Func<UniqueAddress, bool> isKept)
    {
        foreach (UniqueAddress gone in _contacts.Keys.Where(node => !isKept(node)).ToArray())
            _contacts.Remove(gone);
    }

    private Contact Of(UniqueAddress node)
    {
        if (!_contacts.TryGetValue(node, out Contact? contact))
            _contacts.Add(node, contact = new Contact());
        return contact;
    }

    private sealed class Contact
    {
        public TimeSpan? AskedAt { get; set; }

        public bool HasAnswered { get; set; }

        public ulong Digest { get; set; }

        public TimeSpan? AgreedAt { get; set; }
    }
}
