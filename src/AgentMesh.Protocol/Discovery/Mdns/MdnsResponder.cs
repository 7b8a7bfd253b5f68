using System.Net;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Discovery.Mdns;

/// <summary>
/// Says on one interface that this device is there (RFC 6762, 6763). Messages and the present in, messages and the next wake-up out. Not thread-safe.
/// <code>
/// Probing    --3 probes, nobody has the name--> Announcing
/// Probing    --somebody has it-->               Probing, with another suffix
/// Probing    --somebody else begins too, and has the greater data--> Probing, a second later
/// Announcing --2 announcements-->               Settled
/// either     --somebody says otherwise-->       Probing
/// any        --Goodbye-->                       the end
/// </code>
/// </summary>
internal sealed class MdnsResponder
{
    private const int ProbesMax = 3;
    private const int AnnouncementsMax = 2;
    private const int SuffixMax = 99;
    private const int ConflictsBeforePause = 15;
    private const int OrdinaryPort = 5353;

    private static readonly TimeSpan ProbeEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AnnounceEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LostTie = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    private readonly MdnsService _service;
    private readonly MdnsChance _chance;
    private readonly Queue<MdnsTransmit> _outbox = new();
    private readonly Dictionary<DnsRecord, (TimeSpan At, IPAddress? TruncatedBy)> _pending = [];
    private readonly Dictionary<DnsRecord, TimeSpan> _saidAt = [];
    private MdnsRecords _records;
    private int _suffix;
    private int _probes;
    private int _announcements;
    private int _conflicts;
    private TimeSpan? _stepAt;

    public MdnsResponder(MdnsService service, IEntropy entropy, TimeSpan now)
    {
        _service = service;
        _chance = new MdnsChance(entropy);
        _records = service.Records(0);
        _stepAt = now + _chance.Between(TimeSpan.Zero, ProbeEvery);
    }

    /// <summary>The name is this device's; questions are answered.</summary>
    public bool IsKnown => _probes >= ProbesMax && (_stepAt is null || _announcements > 0);

    public string Instance => _records.Instance;

    /// <summary>When <see cref="Tick"/> has something to do.</summary>
    public TimeSpan Next => _pending.Values.Select(pending => pending.At).Append(_stepAt ?? TimeSpan.MaxValue).Min();

    public bool TryTransmit(out MdnsTransmit transmit) => _outbox.TryDequeue(out transmit);

    public void Tick(TimeSpan now)
    {
        if (now >= _stepAt)
        {
            Step(now);
        }

        DnsRecord[] due = [.. _pending.Where(pending => pending.Value.At <= now).Select(pending => pending.Key)];
        if (due.Length > 0)
        {
            Say(due, now);
        }
    }

    /// <param name="isOwn">It came from an address of this machine: what this device says on another interface of the same link contradicts nothing.</param>
    public void Handle(DnsMessage message, IPEndPoint from, bool isOwn, TimeSpan now)
    {
        if (message.IsResponse)
        {
            if (!isOwn && from.Port == OrdinaryPort && message.Records.Any(Contradicts))
            {
                Conflict(now);
            }

            return;
        }

        if (_probes < ProbesMax)
        {
            if (!isOwn)
            {
                CompareProbe(message, now);
            }

            return;
        }

        if (!IsKnown)
        {
            return;
        }

        if (message.Questions.Count == 0)
        {
            ForgetKnown(message, from);
        }
        else if (from.Port != OrdinaryPort)
        {
            AnswerLegacy(message, from);
        }
        else
        {
            Answer(message, from, now);
        }
    }

    /// <summary>Takes back what was said; nothing else is to be called after it.</summary>
    public void Goodbye()
    {
        if (IsKnown)
        {
            _outbox.Enqueue(new MdnsTransmit(null, DnsWriter.Answer([.. _records.All.Skip(1).Select(record => record with { Seconds = 0 })], [])));
        }

        _pending.Clear();
        _stepAt = null;
    }

    private void Step(TimeSpan now)
    {
        if (_probes < ProbesMax)
        {
            _outbox.Enqueue(new MdnsTransmit(null, DnsWriter.Query(
                [new DnsQuestion(_records.Instance, DnsType.Any, _probes == 0), new DnsQuestion(_records.Host, DnsType.Any, _probes == 0)], [], _records.Unique)));
            _probes++;
            _stepAt = now + ProbeEvery;
            return;
        }

        Say(_records.All, now);
        _announcements++;
        _stepAt = _announcements < AnnouncementsMax ? now + AnnounceEvery : null;
    }

    private bool Contradicts(DnsRecord record) =>
        record.Seconds > 0 && _records.IsOurs(record.Name) && _records.Unique.Any(own => own.Type == record.Type && own.Name == record.Name) && !_records.Unique.Any(own => own.IsSameAs(record));

    private void Conflict(TimeSpan now)
    {
        // While it probes a device gives way; one that was there before asks again first (RFC 6762, 9).
        if (_probes < ProbesMax || !IsKnown)
        {
            _suffix = _suffix >= SuffixMax ? 2 : Math.Max(2, _suffix + 1);
            _records = _service.Records(_suffix);
        }

        _conflicts++;
        _saidAt.Clear();
        _pending.Clear();
        (_probes, _announcements) = (0, 0);
        _stepAt = now + (_conflicts >= ConflictsBeforePause ? Pause : _chance.Between(TimeSpan.Zero, ProbeEvery));
    }

    // Two that begin at the same moment: the greater data stays (RFC 6762, 8.2).
    private void CompareProbe(DnsMessage probe, TimeSpan now)
    {
        DnsRecord[] theirs = [.. probe.Authorities.Where(record => _records.IsOurs(record.Name))];
        foreach (IGrouping<string, DnsRecord> each in theirs.GroupBy(record => record.Name))
        {
            if (Order(_records.Unique.Where(own => own.Name == each.Key)).SequenceCompareTo(Order(each)) < 0)
            {
                _probes = 0;
                _stepAt = now + LostTie;
                return;
            }
        }
    }

    private static ReadOnlySpan<byte> Order(IEnumerable<DnsRecord> records) =>
        records.Select(record => (byte[])[0, 1, (byte)((ushort)record.Type >> 8), (byte)record.Type, .. record.Data])
            .Order(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))).SelectMany(bytes => bytes).ToArray();

    private IEnumerable<DnsRecord> Matching(DnsQuestion question) =>
        _records.All.Where(record => record.Name == question.Name && (question.Type == DnsType.Any || question.Type == record.Type));

    private static bool IsKnownTo(DnsMessage message, DnsRecord record) => message.Answers.Any(known => known.Seconds >= record.Seconds / 2 && known.IsSameAs(record));

    private void Answer(DnsMessage query, IPEndPoint from, TimeSpan now)
    {
        var alone = new List<DnsRecord>();
        bool isProbe = query.Authorities.Count > 0;
        foreach (DnsQuestion question in query.Questions)
        {
            foreach (DnsRecord record in Matching(question).Where(record => !IsKnownTo(query, record)))
            {
                // Who asks for it gets it alone if the others have heard it not long ago.
                bool wasSaid = _saidAt.TryGetValue(record, out TimeSpan said);
                if (question.WantsUnicast && wasSaid && now - said < TimeSpan.FromSeconds(record.Seconds / 4.0))
                {
                    alone.Add(record);
                    continue;
                }

                TimeSpan wait = query.IsTruncated ? _chance.Between(TimeSpan.FromMilliseconds(400), TimeSpan.FromMilliseconds(500))
                    : record.IsUnique ? TimeSpan.Zero
                    : _chance.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(120));
                TimeSpan at = now + wait, earliest = wasSaid ? said + (isProbe ? ProbeEvery : RepeatAfter) : at;
                at = at > earliest ? at : earliest;
                if (!_pending.TryGetValue(record, out (TimeSpan At, IPAddress? TruncatedBy) before) || at < before.At)
                {
                    _pending[record] = (at, query.IsTruncated ? from.Address : null);
                }
            }
        }

        if (alone.Count > 0)
        {
            _outbox.Enqueue(new MdnsTransmit(from, DnsWriter.Answer([.. alone.Distinct()], Beside(alone))));
        }

        Tick(now);
    }

    // The rest of what a truncated question's sender knows.
    private void ForgetKnown(DnsMessage more, IPEndPoint from)
    {
        foreach (DnsRecord known in _pending.Where(pending => from.Address.Equals(pending.Value.TruncatedBy) && IsKnownTo(more, pending.Key)).Select(pending => pending.Key).ToArray())
        {
            _pending.Remove(known);
        }
    }

    private void AnswerLegacy(DnsMessage query, IPEndPoint from)
    {
        DnsRecord[] answers = [.. query.Questions.SelectMany(Matching).Distinct()];
        if (answers.Length > 0)
        {
            _outbox.Enqueue(new MdnsTransmit(from, DnsWriter.LegacyAnswer(query.Id, query.Questions, answers, Beside(answers))));
        }
    }

    private void Say(IReadOnlyList<DnsRecord> records, TimeSpan now)
    {
        IReadOnlyList<DnsRecord> beside = Beside(records);
        _outbox.Enqueue(new MdnsTransmit(null, DnsWriter.Answer(records, beside)));
        foreach (DnsRecord record in records.Concat(beside))
        {
            _saidAt[record] = now;
            _pending.Remove(record);
        }
    }

    /// <summary>What is asked for next (RFC 6763, 12): for a pointer all of the service, for a service the addresses.</summary>
    private IReadOnlyList<DnsRecord> Beside(IReadOnlyList<DnsRecord> answers)
    {
        bool hasPointer = answers.Any(answer => answer.Type == DnsType.Ptr && answer.Name == MdnsNames.ServiceType), hasService = answers.Any(answer => answer.Type == DnsType.Srv);
        return [.. _records.Unique.Where(record => (hasPointer || (hasService && record.Name == _records.Host)) && !answers.Contains(record))];
    }
}
