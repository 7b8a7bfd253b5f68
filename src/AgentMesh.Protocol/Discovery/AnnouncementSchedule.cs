using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Discovery;

/// <summary>When to announce on one interface: three times at first, then now and then, and when somebody asked. Not thread-safe.</summary>
/// <param name="interval">Mean time between announcements that nobody asked for.</param>
/// <param name="start">The monotonic present, at which the interface is new.</param>
internal sealed class AnnouncementSchedule(TimeSpan interval, IEntropy entropy, TimeSpan start)
{
    /// <summary>The least time from one announcement to the next that answers somebody.</summary>
    public static readonly TimeSpan AnswerEvery = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan[] Opening = [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)];
    private static readonly TimeSpan OpeningJitter = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AnswerJitter = TimeSpan.FromMilliseconds(300);

    private int _opened;
    private TimeSpan _next = start + OpeningJitter * Share(entropy);
    private TimeSpan? _answerAt;
    private TimeSpan? _sentAt;

    /// <summary>When <see cref="TryTake"/> will say yes.</summary>
    public TimeSpan Next => _answerAt is { } answer && answer < _next ? answer : _next;

    /// <summary>Somebody wants to know who is here. One answer serves all who ask before it leaves.</summary>
    public void Answer(TimeSpan now)
    {
        if (_answerAt is null)
        {
            TimeSpan soon = now + AnswerJitter * Share(entropy);
            _answerAt = _sentAt + AnswerEvery is { } earliest && earliest > soon ? earliest : soon;
        }
    }

    /// <summary>True when an announcement is to be sent now; then it counts as sent.</summary>
    /// <param name="wantsAnswer">This device is new here, and others are to say where they are.</param>
    public bool TryTake(TimeSpan now, out bool wantsAnswer)
    {
        wantsAnswer = false;
        if (now < Next)
        {
            return false;
        }

        if (now >= _next)
        {
            wantsAnswer = _opened < Opening.Length;
            _opened += wantsAnswer ? 1 : 0;
            _next = _opened < Opening.Length
                ? now + Opening[_opened] - Opening[_opened - 1] + OpeningJitter * Share(entropy)
                : now + interval * (0.75 + Share(entropy) / 2);
        }

        _answerAt = null;
        _sentAt = now;
        return true;
    }

    /// <summary>0 to 1, without 1.</summary>
    private static double Share(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        entropy.Fill(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) / (uint.MaxValue + 1.0);
    }
}
