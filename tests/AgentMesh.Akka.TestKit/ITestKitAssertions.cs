namespace Akka.TestKit;

/// <summary>How a test framework is told that something is not as it should be.</summary>
public interface ITestKitAssertions
{
    void Fail(string format = "", params object[] args);

    void AssertTrue(bool condition, string format = "", params object[] args);

    void AssertFalse(bool condition, string format = "", params object[] args);

    void AssertEqual<T>(T expected, T actual, string format = "", params object[] args);

    void AssertEqual<T>(T expected, T actual, Func<T, T, bool> comparer, string format = "", params object[] args);
}

/// <summary>Marks a test kit whose messages outside of actors have no sender.</summary>
public interface INoImplicitSender
{
}
