namespace AgentMesh.Protocol.Recovery;

/// <summary>How much may be in flight; never less than four datagrams.</summary>
internal sealed class SendWindow
{
    private const int MinimumDatagrams = 4;
    private const int InitialDatagrams = 10;

    private double _before;

    public SendWindow(int datagramBytes)
    {
        Datagram = datagramBytes;
        Bytes = Initial;
    }

    public int Datagram { get; private set; }

    public double Bytes { get; private set; }

    public double Minimum => MinimumDatagrams * (double)Datagram;

    public double Initial => InitialDatagrams * (double)Datagram;

    public void SetDatagram(int bytes)
    {
        Datagram = bytes;
        Bytes = Math.Max(Bytes, Minimum);
    }

    /// <summary>For <see cref="Restore"/>.</summary>
    /// <param name="isSmallByIntent">Then the greater one of before is kept.</param>
    public void Remember(bool isSmallByIntent) => _before = isSmallByIntent ? Math.Max(_before, Bytes) : Bytes;

    public void Restore() => Bytes = Math.Max(Bytes, _before);

    public void Collapse() => Bytes = Minimum;

    /// <summary>Something was acknowledged.</summary>
    /// <param name="target">What the model asks for: as long as the pipe was never full, the window grows towards it and does not shrink.</param>
    /// <param name="cap">What is allowed, whatever the model asks for.</param>
    public void Grow(long newlyAcked, double target, double cap, bool isPipeFilled, long delivered)
    {
        if (isPipeFilled)
        {
            Bytes = Math.Min(Bytes + newlyAcked, target);
        }
        else if (Bytes < target || delivered < Initial)
        {
            Bytes += newlyAcked;
        }

        Bytes = Math.Max(Math.Min(Bytes, cap), Minimum);
    }
}
