using System.Globalization;

namespace Akka.Util;

/// <summary>A version of the application that orders as semantic versions do: numbers by value, a pre-release before its release.</summary>
public class AppVersion : IComparable<AppVersion>, IEquatable<AppVersion>
{
    public static readonly AppVersion Zero = Create("0.0.0");

    private readonly int[] _numbers;
    private readonly string _suffix;

    private AppVersion(string version, int[] numbers, string suffix)
    {
        Version = version;
        _numbers = numbers;
        _suffix = suffix;
    }

    public string Version { get; }

    public static bool operator ==(AppVersion? first, AppVersion? second) => Equals(first, second);

    public static bool operator !=(AppVersion? first, AppVersion? second) => !Equals(first, second);

    /// <exception cref="ArgumentException">The text does not start with a number.</exception>
    public static AppVersion Create(string version)
    {
        int cut = version.IndexOfAny(['-', '+']);
        string numeric = cut < 0 ? version : version[..cut];
        string[] parts = numeric.Split('.');
        int[] numbers = new int[Math.Max(3, parts.Length)];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                throw new ArgumentException($"'{version}' is not a version; expected numbers with dots such as 1.2.3 or 1.2.3-rc1", nameof(version));
        }

        return new AppVersion(version, numbers, cut < 0 ? string.Empty : version[(cut + 1)..]);
    }

    public int CompareTo(AppVersion? other)
    {
        if (other is null)
            return 1;
        for (int i = 0; i < Math.Max(_numbers.Length, other._numbers.Length); i++)
        {
            int difference = At(_numbers, i).CompareTo(At(other._numbers, i));
            if (difference != 0)
                return difference;
        }

        if (_suffix.Length == 0 || other._suffix.Length == 0)
            return (_suffix.Length == 0).CompareTo(other._suffix.Length == 0);
        return string.CompareOrdinal(_suffix, other._suffix);
    }

    public bool Equals(AppVersion? other) => other is not null && CompareTo(other) == 0;

    public override bool Equals(object? obj) => Equals(obj as AppVersion);

    public override int GetHashCode() => HashCode.Combine(At(_numbers, 0), At(_numbers, 1), At(_numbers, 2), _suffix);

    public override string ToString() => Version;

    private static int At(int[] numbers, int index) => index < numbers.Length ? numbers[index] : 0;
}
