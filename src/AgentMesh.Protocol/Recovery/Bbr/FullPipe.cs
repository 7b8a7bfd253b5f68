namespace AgentMesh.Protocol.Recovery;

/// <summary>Sees that sending faster brings nothing any more: three rounds in which the rate of delivery grew by less than a quarter.</summary>
internal sealed class FullPipe
{
    private const int Rounds = 3;
    private const double Growth = 1.25;

    private double _rate;
    private int _count;

    public bool IsFull { get; private set; }

    /// <param name="rate">What further growth is measured by.</param>
    public void Reset(double rate = 0)
    {
        _rate = rate;
        _count = 0;
        IsFull = false;
    }

    public void Update(in RateSample sample, bool isRoundStart)
    {
        if (IsFull || !isRoundStart || sample.IsAppLimited)
        {
            return;
        }

        if (sample.BytesPerSecond >= _rate * Growth)
        {
            Reset(sample.BytesPerSecond);
        }
        else
        {
            IsFull = ++_count >= Rounds;
        }
    }
}
