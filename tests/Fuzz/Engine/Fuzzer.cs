namespace AgentMesh.Fuzz.Engine;

/// <summary>Mutates the inputs of one target, keeps those that reach something new, and stops at the first that the target does not bear.</summary>
internal sealed class Fuzzer
{
    private const int KeptMax = 4_096;

    private readonly FuzzTarget _target;
    private readonly Random _random;
    private readonly Mutator _mutator;
    private readonly List<byte[]> _inputs = [];
    private readonly HashSet<int> _results = [];

    public Fuzzer(FuzzTarget target, int seed)
    {
        _target = target;
        _random = new Random(seed);
        _mutator = new Mutator(_random, target);
        Coverage.Forget();
    }

    /// <summary>Called with each input before it is tried, so that one which ends the process is known.</summary>
    public Action<byte[]> Trying { get; init; } = static _ => { };

    public long Tried { get; private set; }

    /// <summary>Inputs that reached something new, in the order in which they did.</summary>
    public List<byte[]> Kept { get; } = [];

    /// <summary>Takes an input as it is: a seed, or one of the corpus.</summary>
    public Finding? Add(byte[] input)
    {
        Finding? finding = Try(input, out _);
        _inputs.Add(input);
        return finding;
    }

    /// <summary>Makes one new input and tries it.</summary>
    public Finding? Step()
    {
        if (_inputs.Count == 0)
        {
            _inputs.Add([]);
        }

        byte[] input = _mutator.Mutate(Pick(), Pick());
        Finding? finding = Try(input, out bool isNew);
        if (isNew && finding is null && _inputs.Count < KeptMax)
        {
            _inputs.Add(input);
            Kept.Add(input);
        }

        return finding;
    }

    // The newest are tried more often: they are where unknown ground begins.
    private byte[] Pick() => _random.Next(3) == 0 ? _inputs[^(1 + _random.Next(Math.Min(16, _inputs.Count)))] : _inputs[_random.Next(_inputs.Count)];

    private Finding? Try(byte[] input, out bool isNew)
    {
        Trying(input);
        Tried++;
        Coverage.Clear();
        Finding? finding = Trial.Run(_target, input, out int result);
        isNew = _results.Add(result) | Coverage.TakeNew();
        return finding;
    }
}
